"""What is sent differs from one request to the next, and is the same in every run."""

import io
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import photographs


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "INPUTS", tmp_path)


@pytest.mark.parametrize(
    ("make", "kind", "size"),
    [(photographs.jpegs, "JPEG", photographs.SIZE), (photographs.pngs, "PNG", photographs.SIZE)],
)
def test_files_have_their_format_and_size(make: Callable[[int], list[bytes]], kind: str, size: tuple[int, int]) -> None:
    for data in make(3):
        image = Image.open(io.BytesIO(data))
        assert (image.format, image.size) == (kind, size)


def test_a_large_one_is_of_12_megapixels() -> None:
    (data,) = photographs.large_jpegs(1)
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size) == ("JPEG", (4000, 3000))
    assert len(data) > 1_000_000


def test_all_differ() -> None:
    pieces = {piece.tobytes() for piece in islice(photographs._pieces((50, 33), seed=0), photographs.COUNT)}
    assert len(pieces) == photographs.COUNT


def test_they_are_made_once_and_always_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = photographs.jpegs(3)
    times = [path.stat().st_mtime_ns for path in sorted((tmp_path / "jpeg").iterdir())]
    assert photographs.jpegs(3) == made
    assert times == [path.stat().st_mtime_ns for path in sorted((tmp_path / "jpeg").iterdir())]
    monkeypatch.setattr(photographs, "INPUTS", tmp_path / "others")
    assert photographs.jpegs(4)[:3] == made


def test_pixels_are_decoded_photographs() -> None:
    array = photographs.pixels(3)
    assert array.shape == (3, 256, 256, 3)
    assert array.dtype == "uint8"
    assert len({image.tobytes() for image in array}) == 3


def test_digits_are_small_and_of_both_formats() -> None:
    files = photographs.digits(12)
    images = [Image.open(io.BytesIO(data)) for data in files]
    assert {(image.format, image.size) for image in images} == {
        (kind, (side, side)) for kind in ("PNG", "JPEG") for side in photographs.DIGIT_SIZES
    }
    assert len(set(photographs.digits())) == photographs.COUNT
