"""The bundle in models/digits, measured again."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from model_builder.digits import LABELS, Split, encode_png
from model_server.bundle import Bundle, read_bundle
from model_server.manifest import Variant
from model_server.types import Int64Array

Classify = Callable[[Bundle, Variant, Sequence[bytes]], Int64Array]
FOLDER = Path(__file__).parents[3] / "models" / "digits"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return read_bundle(FOLDER)


def test_both_variants_recognise_what_they_were_not_trained_on(
    bundle: Bundle, split: Split, classify: Classify
) -> None:
    files = [encode_png(picture) for picture in split.held_out.pictures]
    scores = {}
    for variant in bundle.manifest.variants:
        named = classify(bundle, variant, files)
        scores[variant.precision] = (named == split.held_out.labels).mean()
        # one image of 360 may fall on the other side on another CPU
        assert variant.accuracy == pytest.approx(scores[variant.precision], abs=0.003)
    assert scores["float32"] >= 0.98
    assert scores["int8"] >= scores["float32"] - 0.005


def test_black_on_white_is_recognised_too(bundle: Bundle, split: Split, classify: Classify) -> None:
    files = [encode_png(255 - picture) for picture in split.held_out.pictures]
    for variant in bundle.manifest.variants:
        assert (classify(bundle, variant, files) == split.held_out.labels).mean() >= 0.97


def test_there_is_a_sample_of_every_digit_and_each_is_named_right(bundle: Bundle, classify: Classify) -> None:
    samples = bundle.manifest.samples
    assert sorted(sample.label for sample in samples) == LABELS
    for variant in bundle.manifest.variants:
        named = classify(bundle, variant, [bundle.read(sample) for sample in samples])
        np.testing.assert_array_equal([LABELS[number] for number in named], [sample.label for sample in samples])


def test_variants_are_small_and_name_no_machine(bundle: Bundle) -> None:
    for variant in bundle.manifest.variants:
        data = [bundle.read(file) for file in variant.files]
        assert sum(map(len, data)) <= 1_000_000
        for trace in (b"site-packages", b"stack_trace", b"/tmp/", b"/home/", b"rt_info>\n</net>"):
            assert not any(trace in file for file in data)


def test_the_folder_holds_nothing_but_the_bundle(bundle: Bundle) -> None:
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    samples = bundle.manifest.samples
    weights = [file for variant in bundle.manifest.variants for file in variant.files]
    assert found == {"model.yaml", *(file.path for file in [*samples, *weights])}
