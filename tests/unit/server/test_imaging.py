"""Imaging against torchvision's own transform, and against sums done by hand."""

import io
import re
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, PILToTensor, Resize, ToTensor

from model_server.errors import InvalidInput
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
IMAGENET = Preprocessing(resize=256, crop=224, mean=MEAN, std=STD)
IMAGING = Imaging(IMAGENET)
TORCHVISION = Compose([Resize(256, InterpolationMode.BILINEAR), CenterCrop(224)])
PHOTOS = {name: Image.fromarray(load_sample_image(f"{name}.jpg")) for name in ("china", "flower")}

UNSCALED = [  # photo, size, mode, format, EXIF orientation
    ("china", (640, 427), "RGB", "JPEG", 1),
    ("flower", (500, 334), "RGB", "JPEG", 6),
    ("china", (257, 256), "RGB", "JPEG", 3),
    ("flower", (224, 224), "RGB", "PNG", 1),
    ("china", (225, 301), "RGB", "PNG", 5),
    ("flower", (101, 399), "RGB", "PNG", 8),
    ("china", (399, 101), "RGB", "WEBP", 2),
    ("flower", (50, 50), "RGB", "WEBP", 7),
    ("china", (33, 71), "L", "PNG", 1),
    ("flower", (640, 427), "L", "JPEG", 4),
    ("china", (333, 333), "LA", "PNG", 1),
    ("flower", (301, 207), "RGBA", "PNG", 6),
    ("china", (301, 207), "RGBA", "WEBP", 1),
    ("flower", (411, 277), "P", "PNG", 1),
    ("china", (300, 511), "P", "PNG", 3),
    ("flower", (511, 300), "1", "PNG", 1),
    ("china", (256, 700), "RGB", "JPEG", 7),
    ("flower", (700, 256), "RGB", "JPEG", 8),
    ("china", (1, 9), "RGB", "PNG", 1),
    ("flower", (1021, 509), "RGB", "PNG", 2),
]

SCALED = [  # photo, size; what is decoded at a half, a quarter and an eighth, and sizes that do not divide by 8
    ("china", (1280, 1024)),
    ("flower", (1027, 1033)),
    ("china", (2601, 2051)),
    ("flower", (4000, 3000)),
    ("china", (4599, 4131)),
    ("flower", (3001, 1099)),
    ("china", (725, 718)),
    ("china", (1435, 1500)),
    ("china", (2870, 2900)),
]


def encode(image: Image.Image, form: str, orientation: int = 1) -> bytes:
    exif = image.getexif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95, "subsampling": "4:4:4"}, "WEBP": {"lossless": True}}.get(form, {})
    buffer = io.BytesIO()
    image.save(buffer, form, exif=exif, **options)
    return buffer.getvalue()


def torchvision_says(data: bytes) -> np.ndarray:
    """What torchvision's transform makes of a file opened as its own loader does: upright, then RGB."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    return np.asarray(TORCHVISION(image)).astype(int)


@pytest.mark.parametrize(("photo", "size", "mode", "form", "orientation"), UNSCALED)
def test_an_unscaled_image_is_what_torchvision_makes_of_it(
    photo: str, size: tuple[int, int], mode: str, form: str, orientation: int
) -> None:
    data = encode(PHOTOS[photo].resize(size).convert(mode), form, orientation)
    difference = abs(IMAGING.decode(data).astype(int) - torchvision_says(data))
    assert difference.max() <= 2
    assert difference.mean() <= 0.3


@pytest.mark.parametrize(("photo", "size"), SCALED)
def test_a_scaled_decode_is_close_to_the_full_one(photo: str, size: tuple[int, int]) -> None:
    data = encode(PHOTOS[photo].resize(size, Image.Resampling.BICUBIC), "JPEG")
    error = ((IMAGING.decode(data).astype(int) - torchvision_says(data)) ** 2).mean()
    assert 10 * np.log10(255**2 / max(error, 1e-9)) >= 38


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_eight_orientations_are_one_picture(form: str) -> None:
    upright = PHOTOS["china"].resize((300, 200))
    stored = {  # how a camera held so stores it: the inverse of what turns it upright
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    first = IMAGING.decode(encode(upright, form)).astype(int)
    for orientation, turn in stored.items():
        difference = abs(IMAGING.decode(encode(upright.transpose(turn), form, orientation)).astype(int) - first)
        # a JPEG's blocks lie differently in each file, lossless formats leave only the resize's rounding
        assert difference.mean() < (3 if form == "JPEG" else 0.2), orientation


def test_normalise_is_torchvisions() -> None:
    rows = np.stack([IMAGING.fit(np.asarray(photo)) for photo in PHOTOS.values()])
    transform = Compose([ToTensor(), Normalize(MEAN, STD)])
    expected = np.stack([transform(Image.fromarray(row)).numpy() for row in rows])
    found = IMAGING.normalise(rows)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_pixels_of_the_right_size_are_left_alone() -> None:
    imaging = Imaging(Preprocessing(resize=224, crop=224, mean=MEAN, std=STD))
    pixels = np.asarray(PHOTOS["china"].resize((224, 224)))
    assert imaging.fit(pixels) is pixels


def test_pixels_of_another_size_are_fitted_as_a_file_is() -> None:
    photo = PHOTOS["flower"].resize((311, 402))
    np.testing.assert_array_equal(IMAGING.fit(np.asarray(photo)), IMAGING.decode(encode(photo, "PNG")))


def test_every_image_is_told_by_its_pixels_as_it_came() -> None:
    told: list[int] = []
    imaging = Imaging(IMAGENET, tell_pixels=told.append)
    photo = PHOTOS["flower"].resize((311, 402))
    imaging.decode(encode(photo, "PNG"))
    imaging.fit(np.asarray(photo))
    imaging.decode(encode(photo, "JPEG", orientation=6))
    assert told == [311 * 402] * 3


def test_a_second_header_does_not_get_past_the_pixel_limit() -> None:
    small, large = (encode(Image.new("RGB", (side, side)), "JPEG") for side in (8, 3000))
    imaging = Imaging(IMAGENET, max_pixels=1_000_000)
    assert imaging.decode(small).shape == (224, 224, 3)
    header = small.index(b"\xff\xc0")
    with pytest.raises(InvalidInput):
        imaging.decode(small[:header] + small[header : header + 19] + large[2:])


def taken_by_curl(data: bytes) -> bytes:
    """What curl's --data sends of a file since 8.7."""
    return data.translate(None, b"\r\n\0")


def cut_by_older_curl(data: bytes) -> bytes:
    """What it sent until then: pieces of 255 bytes, or up to a line break, each up to its first of these bytes."""
    pieces = re.findall(rb"[^\n]{0,254}\n|[^\n]{1,255}", data, re.DOTALL)
    return b"".join(re.split(rb"[\r\n\0]", piece)[0] for piece in pieces)


@pytest.mark.parametrize("size", [(64, 64), (640, 427)])
@pytest.mark.parametrize(("form", "kind"), [("PNG", "PNG"), ("JPEG", "JPEG"), ("WEBP", "WebP")])
@pytest.mark.parametrize("curl", [taken_by_curl, cut_by_older_curl])
def test_who_sends_a_file_with_curls_data_is_told_so(
    curl: Callable[[bytes], bytes], form: str, kind: str, size: tuple[int, int]
) -> None:
    with pytest.raises(InvalidInput, match=f"a {kind} image whose line breaks.*--data-binary rather than --data"):
        IMAGING.decode(curl(encode(PHOTOS["china"].resize(size), form)))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("image", [PHOTOS["china"], Image.new("RGB", (900, 900), (13, 26, 77))])
def test_of_any_other_damage_the_decoder_says_what_it_is(image: Image.Image, form: str) -> None:
    whole = encode(image, form)
    for damaged in (whole[: len(whole) // 2], whole[:100], whole[:40] + whole[40:].translate(None, b"\r\n\0")):
        with pytest.raises(InvalidInput, match=f"the {form} image is corrupt or truncated: ."):
            IMAGING.decode(damaged)


@pytest.mark.parametrize("gap", [0, 1])
@pytest.mark.parametrize("place", [0, 1])
def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded(place: int, gap: int) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    assert IMAGING.decode(data).shape == (224, 224, 3)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(InvalidInput, match="scans, and each would be decoded; at most 50"):
        IMAGING.decode(data[:last] + bytes(place) + (data[last:-2] + bytes(gap)) * 60 + data[-2:])


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_the_interpolation_is_the_bundles(interpolation: str) -> None:
    preprocessing = Preprocessing(resize=64, crop=64, interpolation=interpolation, mean=MEAN, std=STD)
    photo = PHOTOS["china"].resize((200, 200))
    mode = InterpolationMode.BILINEAR if interpolation == "bilinear" else InterpolationMode.BICUBIC
    expected = Compose([Resize(64, mode), PILToTensor()])(photo).permute(1, 2, 0).numpy().astype(int)
    assert abs(Imaging(preprocessing).fit(np.asarray(photo)).astype(int) - expected).max() <= 2


def test_what_is_small_is_said_by_its_header_alone() -> None:
    def png(width: int, height: int) -> bytes:
        return encode(Image.new("L", (width, height)), "PNG")

    assert IMAGING.is_small(png(64, 64))
    assert IMAGING.is_small(np.zeros((64, 64, 3), np.uint8))
    assert not IMAGING.is_small(np.zeros((64, 65, 3), np.uint8))
    assert not IMAGING.is_small(png(64, 65))
    assert not IMAGING.is_small(png(8, 8).replace(struct.pack(">II", 8, 8), struct.pack(">II", 60_000, 60_000)))
    assert not IMAGING.is_small(png(8, 8) + bytes(4 << 10))
    assert IMAGING.is_small(encode(Image.new("L", (64, 64)), "JPEG"))
    assert not IMAGING.is_small(encode(Image.new("L", (64, 65)), "JPEG"))
    assert not IMAGING.is_small(encode(Image.new("L", (8, 8)), "WEBP"))
    for length in range(24):
        assert not IMAGING.is_small(png(8, 8)[:length])
    photo = encode(Image.new("L", (8, 8)), "JPEG")
    assert not IMAGING.is_small(photo[:2] + b"\xff\xfe\0\x02" * 200 + photo[2:])
