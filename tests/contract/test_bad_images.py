"""Files that are no whole image, or none at all, and the thinnest ones: rows 19, 21 and 25."""

import io
import struct
import zipfile

import httpx
import numpy as np
import pytest
from doors import DOORS, ask_raw, ask_v2_json, assert_refused, brief, logits, top_labels, v2_with_tail
from numpy.typing import NDArray
from pictures import (
    FORMATS,
    GREEN,
    NOT_AN_IMAGE,
    PNG_SIGNATURE,
    RED,
    chunk,
    encode,
    noise,
    plain,
    png,
)
from PIL import Image

from model_server.errors import InvalidInput
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing

IMAGING = Imaging(Preprocessing(resize=16, crop=16, mean=[0.0] * 3, std=[1.0] * 3))
STILLS = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
"""The seven small images that an interlaced PNG holds one after the other: where each begins, and its steps."""


def interlaced_rows(pixels: NDArray[np.uint8]) -> list[bytes]:
    parts = [pixels[top::down, left::across] for left, top, across, down in ADAM7]
    return [row.tobytes() for part in parts for row in part if row.size]


WHOLE = {
    "PNG": encode(noise(), "PNG"),
    "PNG interlaced": png(64, 48, 8, 2, interlaced_rows(noise()), interlaced=True),
    "APNG": encode(STILLS[0], "PNG", save_all=True, append_images=STILLS[1:]),
    "JPEG": encode(noise(), "JPEG"),
    "JPEG progressive": encode(noise(), "JPEG", progressive=True),
    "JPEG grey": encode(noise()[:, :, 0], "JPEG"),
    "WEBP lossless": encode(noise(), "WEBP"),
    "WEBP lossy": encode(noise(), "WEBP", lossless=False),
    "WEBP animated": encode(STILLS[0], "WEBP", save_all=True, append_images=STILLS[1:]),
}


def first(form: str) -> str:
    return form.split()[0].replace("APNG", "PNG")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP lossless"])
def test_row_19_a_part_of_a_file(colours: httpx.Client, form: str, kept: float, door: str) -> None:
    data = WHOLE[form]
    answer = DOORS[door](data[: int(kept * len(data))]).send(colours)
    assert_refused(answer, 400, f"the {first(form)} image is corrupt or truncated")


@pytest.mark.parametrize("form", WHOLE)
def test_row_19_a_file_without_its_end(colours: httpx.Client, form: str) -> None:
    assert top_labels(ask_raw(WHOLE[form]).send(colours))
    for missing in (1, 2, 12):
        assert_refused(ask_raw(WHOLE[form][:-missing]).send(colours), 400, f"the {first(form)} image is corrupt")


@pytest.mark.parametrize("form", WHOLE)
def test_row_19_no_part_of_a_file_is_an_image(form: str) -> None:
    data = WHOLE[form]
    assert IMAGING.decode(data).shape == (16, 16, 3)
    lengths = np.unique(
        [*range(100), *range(100, len(data), max(1, len(data) // 200)), *range(len(data) - 20, len(data))]
    )
    for length in lengths[lengths < len(data)]:
        with pytest.raises(InvalidInput):
            IMAGING.decode(data[:length])


def test_row_19_no_flipped_bit_of_a_png_is_passed_over() -> None:
    data = encode(noise(9, 7), "PNG")
    end = len(data) - 12  # the last chunk holds nothing
    for position in range(end):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            with pytest.raises(InvalidInput):
                IMAGING.decode(bytes(damaged))


@pytest.mark.parametrize("form", ["JPEG", "JPEG progressive", "JPEG grey"])
@pytest.mark.parametrize("fill", ["zeros", "noise", "gone", "markers"])
def test_row_19_a_jpeg_with_a_hole(colours: httpx.Client, form: str, fill: str) -> None:
    data = WHOLE[form]
    begin, end = len(data) // 2, 3 * len(data) // 4
    middle = {
        "zeros": bytes(end - begin),
        "noise": np.random.default_rng(7).bytes(end - begin),
        "gone": b"",
        "markers": b"\xff\xd8\xff\xd9" * ((end - begin) // 4),
    }[fill]
    answer = ask_raw(data[:begin] + middle + data[end:]).send(colours)
    assert_refused(answer, 400, "the JPEG image is corrupt")


@pytest.mark.parametrize("form", ["WEBP lossless", "WEBP lossy"])
def test_row_19_a_webp_with_a_broken_header(colours: httpx.Client, form: str) -> None:
    data = WHOLE[form]
    for position in (15, 20, 21 if form == "WEBP lossless" else 23):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        answer = ask_raw(bytes(damaged)).send(colours)
        assert_refused(answer, 400, "the WEBP image is corrupt")


@pytest.mark.parametrize(
    ("form", "data"),
    [
        pytest.param("PNG", PNG_SIGNATURE, id="png-signature"),
        pytest.param("PNG", PNG_SIGNATURE + NOT_AN_IMAGE, id="png-signature-and-text"),
        pytest.param("PNG", PNG_SIGNATURE + chunk(b"IEND", b""), id="png-without-a-header"),
        pytest.param("PNG", png(0, 0, 8, 2, []), id="png-0x0"),
        pytest.param("PNG", png(4, 4, 8, 2, [bytes(12)] * 2), id="png-of-half-the-rows"),
        pytest.param("PNG", png(4, 4, 3, 2, [bytes(12)] * 4), id="png-of-depth-3"),
        pytest.param("PNG", png(4, 4, 8, 5, [bytes(12)] * 4), id="png-of-colour-type-5"),
        pytest.param("PNG", png(4, 4, 8, 3, [bytes(4)] * 4), id="png-without-its-palette"),
        pytest.param("JPEG", b"\xff\xd8\xff", id="jpeg-marker"),
        pytest.param("JPEG", b"\xff\xd8\xff\xd9", id="jpeg-of-nothing"),
        pytest.param("JPEG", b"\xff\xd8\xff\xe0" + NOT_AN_IMAGE, id="jpeg-marker-and-text"),
        pytest.param("WEBP", b"RIFF\x10\0\0\0WEBPVP8 \0\0\0\0", id="webp-of-nothing"),
        pytest.param("WEBP", b"RIFF\xff\xff\xff\xffWEBPVP8L" + NOT_AN_IMAGE, id="webp-header-and-text"),
    ],
)
@pytest.mark.parametrize("door", DOORS)
def test_row_19_a_first_line_and_nothing_right_behind_it(
    colours: httpx.Client, form: str, data: bytes, door: str
) -> None:
    assert_refused(DOORS[door](data).send(colours), 400, f"the {form} image is corrupt or truncated")


@pytest.mark.parametrize("missing", [1, 2, 5, 6])
@pytest.mark.parametrize("size", [(7, 7), (7, 8), (1, 9)], ids=brief)
def test_row_19_a_png_that_lacks_rows_though_every_checksum_is_right(
    colours: httpx.Client, size: tuple[int, int], missing: int
) -> None:
    """A lower half that is black in the file itself is another matter."""
    width, height = size
    white, black = b"\xff" * 3 * width, bytes(3 * width)
    answer = ask_raw(png(width, height, 8, 2, [white] * (height - missing))).send(colours)
    assert_refused(answer, 400, "the PNG image is corrupt or truncated", "rows are missing")
    rows = interlaced_rows(np.full((height, width, 3), 255, np.uint8))[:-missing]
    answer = ask_raw(png(width, height, 8, 2, rows, interlaced=True)).send(colours)
    assert_refused(answer, 400, "the PNG image is corrupt or truncated", "rows are missing")
    whole = png(width, height, 8, 2, [white] * (height - missing) + [black] * missing)
    assert ask_raw(whole).send(colours).status_code == 200


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("image.png", RED)
    return buffer.getvalue()


OTHERS = {
    "text": NOT_AN_IMAGE,
    "one byte": b"\xff",
    "HTML": b"<!doctype html><title>404</title>",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "JSON": ask_v2_json(RED).body,
    "PDF": b"%PDF-1.7\n",
    "zip": archive(),
    "WAV": b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + bytes(28),
    "a space first": b" " + RED,
    **{
        form: encode(Image.new("RGB", (16, 16)), form)
        for form in ("GIF", "BMP", "TIFF", "ICO", "PPM", "TGA", "JPEG2000")
    },
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", OTHERS)
def test_row_21_what_is_no_jpeg_png_or_webp(colours: httpx.Client, kind: str, door: str) -> None:
    assert_refused(DOORS[door](OTHERS[kind]).send(colours), 400, "not an image that is read here", "JPEG, PNG or WebP")


@pytest.mark.parametrize("door", [door for door in DOORS if door != "raw"])
def test_row_21_an_empty_file(colours: httpx.Client, door: str) -> None:
    assert_refused(DOORS[door](b"").send(colours), 400, "empty: 0 bytes", "JPEG, PNG or WebP")


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PPM"])
def test_row_21_a_format_inside_another(colours: httpx.Client, kind: str) -> None:
    """What begins as a PNG is never handed to another decoder."""
    assert_refused(ask_raw(PNG_SIGNATURE + OTHERS[kind]).send(colours), 400, "corrupt")


LONGEST = {"PNG": 20_000, "JPEG": 20_000, "WEBP": 16_383}
"""WebP's own limit is lower."""


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("shape", ["1 x 1", "1 x long", "long x 1", "2 x 3", "17 x 1"])
def test_row_25_a_thin_image_is_answered(colours: httpx.Client, form: str, shape: str) -> None:
    width, height = (LONGEST[form] if side == "long" else int(side) for side in shape.split(" x "))
    data = plain((0, 255, 0), form, (width, height))
    for door in DOORS:
        assert top_labels(DOORS[door](data).send(colours)) == ["green"]
    assert logits(colours, data, GREEN)[0] == pytest.approx([0, 4, 0], abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1)], ids=brief)
def test_row_25_thin_pixels_are_answered(colours: httpx.Client, size: tuple[int, int]) -> None:
    tail = bytes([0, 0, 255]) * (size[0] * size[1])
    parameters = {"binary_data_size": len(tail)}
    entry = {"name": "pixels", "datatype": "UINT8", "shape": [1, *size, 3], "parameters": parameters}
    assert top_labels(v2_with_tail({"inputs": [entry]}, tail).send(colours)) == ["blue"]
