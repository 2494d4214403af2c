from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from model_builder.digits import LABELS, Split, encode_png
from model_builder.recipe import choose_samples
from model_server.bundle import Bundle, read_bundle
from model_server.manifest import Variant
from model_server.types import Int64Array


@pytest.fixture(scope="module")
def bundle(quick_run: "CompletedProcess[str]", quick_folder: Path) -> Bundle:
    assert quick_run.returncode == 0, quick_run.stderr
    return read_bundle(quick_folder)


Classify = Callable[[Bundle, Variant, Sequence[bytes]], Int64Array]


@pytest.fixture(scope="module")
def files(split: Split) -> list[bytes]:
    return [encode_png(picture) for picture in split.held_out.pictures]


def test_manifest_says_what_was_made_how_and_from_what(bundle: Bundle) -> None:
    manifest = bundle.manifest
    assert (manifest.name, manifest.architecture, manifest.weights) == ("digits", "digits-resnet", "digits-seed-3")
    assert manifest.made_by == "python -m model_builder train digits --seed 3 --epochs 1"
    assert manifest.labels == LABELS
    assert manifest.trained_on is not None
    assert manifest.evaluation is not None
    assert (manifest.trained_on.images, manifest.evaluation.images) == (1437, 360)
    assert [(v.precision, v.engine, v.inputs) for v in manifest.variants] == [
        ("int8", "openvino", "pixels"),
        ("float32", "onnxruntime", "tensor"),
    ]


def test_no_variant_is_larger_than_a_megabyte(bundle: Bundle) -> None:
    for variant in bundle.manifest.variants:
        assert sum(len(bundle.read(file)) for file in variant.files) <= 1_000_000


def test_both_engines_agree_and_score_what_the_manifest_says(
    bundle: Bundle, split: Split, files: list[bytes], classify: Classify
) -> None:
    int8, float32 = (classify(bundle, variant, files) for variant in bundle.manifest.variants)
    assert (int8 == float32).mean() > 0.5  # one epoch leaves many digits undecided
    for variant, named in zip(bundle.manifest.variants, (int8, float32), strict=True):
        assert variant.accuracy == pytest.approx((named == split.held_out.labels).mean(), abs=1e-4)
        assert variant.agreement == pytest.approx((named == float32).mean(), abs=1e-4)


def test_samples_are_held_out_images_that_the_model_gets_right(
    bundle: Bundle, files: list[bytes], classify: Classify
) -> None:
    assert bundle.manifest.samples
    for sample in bundle.manifest.samples:
        assert bundle.read(sample) in files
        for variant in bundle.manifest.variants:
            (named,) = classify(bundle, variant, [bundle.read(sample)])
            assert LABELS[named] == sample.label


def test_a_sample_is_what_every_variant_is_surest_of() -> None:
    truth, images = np.array([7, 7, 7, 2]), [b"a", b"b", b"c", b"d"]
    first, second = np.zeros((2, 4, 10), np.float32)
    first[[0, 1, 2, 3], truth] = [9, 5, 4, 3]
    second[[0, 1, 2, 3], [1, 7, 7, 3]] = [9, 5, 6, 3]  # wrong on the first image and on the last
    chosen = choose_samples(truth, [first, second], images)
    assert [(sample.path, sample.label, data) for sample, data in chosen] == [("samples/7-0.png", "7", b"b")]
