"""What the clients send: pieces of scikit-learn's two sample photographs and its digits, every one different."""

import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from sklearn.datasets import load_digits, load_sample_images

INPUTS = Path("build/benchmarks/inputs")
COUNT, LARGE_COUNT = 512, 16
QUALITY = 90
SIZE, LARGE_SIZE, SQUARE_SIZE = (500, 334), (4000, 3000), (256, 256)
"""Width and height: of a photograph on the web, of a telephone's, of one that its client has scaled."""
DIGIT_SIZES = (8, 16, 28)
GRAIN = 3.0
"""Standard deviation of what is added to an enlarged photograph, which would compress too well without."""


def jpegs(count: int = COUNT) -> list[bytes]:
    """Return JPEGs of 500 by 334 pixels."""
    return _cached("jpeg", count, lambda: (encode(photo, "JPEG") for photo in _pieces(SIZE, seed=0)))


def pngs(count: int = COUNT) -> list[bytes]:
    """Return PNGs of 500 by 334 pixels."""
    return _cached("png", count, lambda: (encode(photo, "PNG") for photo in _pieces(SIZE, seed=1)))


def large_jpegs(count: int = LARGE_COUNT) -> list[bytes]:
    """Return JPEGs of 4000 by 3000 pixels, with grain."""
    return _cached("large", count, lambda: (encode(photo, "JPEG") for photo in add_grain(_pieces(LARGE_SIZE, seed=2))))


def pixels(count: int = COUNT) -> NDArray[np.uint8]:
    """Return decoded photographs, UINT8 ``[N, 256, 256, 3]``."""
    return np.stack([np.asarray(photo) for photo, _ in zip(_pieces(SQUARE_SIZE, seed=3), range(count), strict=False)])


def digits(count: int = COUNT) -> list[bytes]:
    """Return handwritten digits of 8 by 8 to 28 by 28 pixels, PNG and JPEG in turns."""
    files = []
    for number, values in enumerate(load_digits().images[:count]):
        side = DIGIT_SIZES[number % len(DIGIT_SIZES)]
        digit = Image.fromarray((values * 255 / values.max()).astype(np.uint8)).resize((side, side))
        files.append(encode(digit, ("PNG", "JPEG")[number % 2]))
    return files


def add_grain(photos: Iterable[Image.Image]) -> Iterator[Image.Image]:
    """Give enlarged photographs what they lack of detail, seeded."""
    random = np.random.default_rng(0)
    for photo in photos:
        grain = random.normal(0, GRAIN, (photo.height, photo.width, 1))
        yield Image.fromarray(np.clip(np.asarray(photo) + grain, 0, 255).astype(np.uint8))


def encode(photo: Image.Image, kind: str, quality: int = QUALITY) -> bytes:
    """Return a photograph as a file."""
    buffer = io.BytesIO()
    photo.save(buffer, kind, quality=quality)  # which PNG passes over
    return buffer.getvalue()


def _pieces(size: tuple[int, int], seed: int) -> Iterator[Image.Image]:
    """Cut pieces of the given shape without end, some mirrored, lighter or darker."""
    random = np.random.default_rng(seed)
    photos = [Image.fromarray(array) for array in load_sample_images().images]
    number = 0
    while True:
        photo = photos[number % len(photos)]
        most = min(photo.width / size[0], photo.height / size[1])
        width, height = (side * most * random.uniform(0.7, 1.0) for side in size)
        left, top = random.uniform(0, photo.width - width), random.uniform(0, photo.height - height)
        piece = photo.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
        if random.integers(2):
            piece = piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        yield ImageEnhance.Brightness(piece).enhance(random.uniform(0.8, 1.2))
        number += 1


def _cached(name: str, count: int, make: Callable[[], Iterator[bytes]]) -> list[bytes]:
    """Return the first of what is made, from files where they are there."""
    folder = INPUTS / name
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03}" for number in range(count)]
    if not all(path.is_file() for path in paths):
        for path, data in zip(paths, make(), strict=False):
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(data)
            fresh.replace(path)
    return [path.read_bytes() for path in paths]
