"""Files that are no whole image, or none at all, and the thinnest ones: rows 19, 21 and 25."""

import httpx
import numpy as np
import pytest
from damaged import BEGINNINGS, OTHERS, WHOLE, first, interlaced_rows
from doors import DOORS, ask_raw, assert_refused, brief, logits, top_labels, v2_with_tail
from pictures import (
    FORMATS,
    GREEN,
    PNG_SIGNATURE,
    encode,
    noise,
    plain,
    png,
)

from model_server.errors import InvalidInput
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing

IMAGING = Imaging(Preprocessing(resize=16, crop=16, mean=[0.0] * 3, std=[1.0] * 3))


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


@pytest.mark.parametrize("kind", BEGINNINGS)
@pytest.mark.parametrize("door", DOORS)
def test_row_19_a_first_line_and_nothing_right_behind_it(colours: httpx.Client, kind: str, door: str) -> None:
    form, data = BEGINNINGS[kind]
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
