"""The SIMD resize is Pillow's, within a level, or two where it enlarges."""

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from model_server import resizing
from model_server.resizing import resize, resize_by_pillow

CHINA, FLOWER = load_sample_images().images
BOXES = [(0.0, 0.0, 640.0, 427.0), (106.5, 0.0, 533.5, 427.0), (55.3, 20.7, 400.1, 365.5), (10.0, 10.0, 60.0, 60.0)]


@pytest.mark.skipif(resizing.cykooz_resizer is None, reason="no wheel of cykooz-resizer for this platform")
@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("size", [8, 224, 300])
def test_bilinear_is_pillows_within_a_level(box: resizing.Box, size: int) -> None:
    for pixels in (CHINA, FLOWER):
        ours = resize(pixels, box, size, "bilinear")
        assert ours.shape == (size, size, 3)
        difference = abs(ours.astype(int) - resize_by_pillow(pixels, box, size, "bilinear"))
        assert difference.max() <= (1 if size <= box[2] - box[0] else 2)


def test_without_a_wheel_pillow_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resizing, "cykooz_resizer", None)
    ours = resize(CHINA, BOXES[1], 224, "bilinear")
    np.testing.assert_array_equal(ours, resize_by_pillow(CHINA, BOXES[1], 224, "bilinear"))


def test_bicubic_is_pillows() -> None:
    ours = resize(FLOWER, BOXES[2], 224, "bicubic")
    np.testing.assert_array_equal(ours, resize_by_pillow(FLOWER, BOXES[2], 224, "bicubic"))
