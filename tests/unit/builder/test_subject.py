from pathlib import Path

import numpy as np
import pytest
from bundles import COLOURS, SIZE

from model_builder.subject import Subject, time_subjects
from model_server.bundle import Bundle, read_bundle
from model_server.errors import BundleError


def _subjects(bundle: Bundle, **changes: object) -> list[Subject]:
    manifest = bundle.manifest.model_copy(update=changes)
    return [Subject(manifest, v, [bundle.read(file) for file in v.files], threads=1) for v in manifest.variants]


def test_pixels_and_tensors_give_the_same_logits(colour_bundle: Path) -> None:
    int8, float32 = _subjects(read_bundle(colour_bundle))
    pixels = np.stack([np.full((SIZE, SIZE, 3), colour, np.uint8) for colour in COLOURS.values()])
    assert int8.infer(pixels).argmax(axis=1).tolist() == [0, 1, 2]
    np.testing.assert_allclose(int8.infer(pixels), float32.infer(pixels), atol=1e-4)
    assert (int8.name, float32.name) == ("int8 openvino cpu", "float32 onnxruntime cpu")


def test_too_few_logits_are_refused_before_anything_is_measured(colour_bundle: Path) -> None:
    with pytest.raises(
        BundleError, match=r"model\.xml, model\.bin: gives logits of shape \(1, 3\) for 1 images; with 4"
    ):
        _subjects(read_bundle(colour_bundle), labels=["red", "green", "blue", "white"])


def test_a_graph_that_fails_is_named(colour_bundle: Path) -> None:
    preprocessing = read_bundle(colour_bundle).manifest.preprocessing.model_copy(update={"crop": 8, "resize": 8})
    with pytest.raises(BundleError, match=r"model\.xml, model\.bin: fails on images of crop = 8 pixels: "):
        _subjects(read_bundle(colour_bundle), preprocessing=preprocessing)


def test_each_has_a_time_of_its_own(colour_bundle: Path) -> None:
    times = time_subjects(_subjects(read_bundle(colour_bundle)), np.zeros((1, SIZE, SIZE, 3), np.uint8))
    assert len(times) == 2
    assert min(times) > 0
