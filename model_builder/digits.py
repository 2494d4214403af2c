"""The handwritten digits that come with scikit-learn, as pictures to look at. Needs no torch.

E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, of which
scikit-learn bundles the test set: 1797 images of 8 by 8 pixels with the values 0 to 16.
"""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from model_server.manifest import Preprocessing
from model_server.types import Int64Array, UInt8Array

LABELS = [str(digit) for digit in range(10)]
LABELS_SOURCE = "scikit-learn load_digits: target_names"
PICTURE_SIZE = 64
HELD_OUT_SHARE = 0.2
PREPROCESSING = Preprocessing(resize=32, crop=32, mean=[0.5] * 3, std=[0.5] * 3)
_GREATEST_VALUE = 16


@dataclass(frozen=True, slots=True)
class LabelledPictures:
    """``pictures`` are UINT8 ``[N, 64, 64]``, white on black; ``labels`` INT64 ``[N]``, 0 to 9."""

    pictures: UInt8Array
    labels: Int64Array

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Split:
    """1437 pictures to learn from and 360 to measure with."""

    train: LabelledPictures
    held_out: LabelledPictures


def load_split(seed: int = 0) -> Split:
    """Return the data set in two parts, each with the same share of every digit; a seed always gives the same two.

    What is trained with one seed must not be measured with another's held-out part: they overlap.
    """
    images, labels = load_digits(return_X_y=True)
    pictures = np.stack([render(image.reshape(8, 8)) for image in images])
    train, held_out, train_labels, held_out_labels = train_test_split(
        pictures, labels.astype(np.int64), test_size=HELD_OUT_SHARE, stratify=labels, random_state=seed
    )
    return Split(LabelledPictures(train, train_labels), LabelledPictures(held_out, held_out_labels))


def render(image: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> UInt8Array:
    """Scale an image of 8 by 8 values from 0 to 16 smoothly to UINT8 ``[64, 64]``."""
    grey = np.rint(image * (255 / _GREATEST_VALUE)).astype(np.uint8)
    scaled = Image.fromarray(grey).resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.BICUBIC)
    return np.asarray(scaled)


def encode_png(picture: UInt8Array) -> bytes:
    """Return UINT8 ``[H, W]`` as an 8-bit grey PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", optimize=True)
    return file.getvalue()
