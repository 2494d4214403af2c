"""What the builder's tests share: the data set, and one bundle trained for a single epoch."""

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from model_builder.__main__ import main
from model_builder.digits import Split, load_split
from model_builder.subject import Subject
from model_server.bundle import Bundle
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing, Variant
from model_server.types import Int64Array


@pytest.fixture(scope="session")
def split() -> Split:
    return load_split()


@pytest.fixture(scope="session")
def imaging() -> Imaging:
    return Imaging(Preprocessing(resize=32, crop=32, mean=[0.5] * 3, std=[0.5] * 3))


@pytest.fixture(scope="session")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundle of ``quick_run`` lies."""
    return tmp_path_factory.mktemp("models") / "digits"


@pytest.fixture(scope="session")
def quick_run(quick_folder: Path) -> "CompletedProcess[str]":
    """The whole command, in this process, with one epoch."""
    arguments = ["train", "digits", "--epochs", "1", "--seed", "3", "--output", str(quick_folder)]
    with redirect_stdout(io.StringIO()) as stdout, redirect_stderr(io.StringIO()) as stderr:
        status = main(arguments)
    return CompletedProcess(arguments, status, stdout.getvalue(), stderr.getvalue())


@pytest.fixture(scope="session")
def classify() -> Callable[[Bundle, Variant, Sequence[bytes]], Int64Array]:
    """What a variant of a bundle names, INT64 ``[N]``, for N encoded images."""

    def named(bundle: Bundle, variant: Variant, images: Sequence[bytes]) -> Int64Array:
        subject = Subject(bundle.manifest, variant, [bundle.read(file) for file in variant.files], threads=1)
        return subject.infer(np.stack([subject.imaging.decode(image) for image in images])).argmax(axis=1)

    return named
