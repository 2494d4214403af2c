"""Images over gRPC, the same files as over REST: rows 19 to 25."""

import struct
from collections.abc import Iterator

import grpc
import numpy as np
import pytest
from bundles import GAIN
from damaged import BEGINNINGS, OTHERS, WHOLE, first
from doors import brief, peak_memory_bytes
from grpc_doors import GRPC_DOORS, Client, ask_contents, ask_raw_contents, assert_refused, infer
from kinds import COLOURED, EXACT, GREYS, JPEGS, NEARLY, PICTURE, STORED, animation, upright, with_orientation
from pictures import BLUE, CLAIMS, FORMATS, GREEN, NOT_AN_IMAGE, RED, plain
from servers import Server

INVALID = grpc.StatusCode.INVALID_ARGUMENT
GROWTH_BYTES = 16 << 20
"""More than a refusal may cost, less than what is refused would."""


def logits(client: Client, data: bytes, **fields: str) -> list[float]:
    answer = client.infer(ask_contents(data, outputs=[{"name": "logits"}], **fields)).read()
    return list(answer.outputs[0].contents.fp32_contents)


@pytest.mark.parametrize("door", GRPC_DOORS)
@pytest.mark.parametrize("form", WHOLE)
def test_row_19_a_part_of_a_file(calls: Client, form: str, door: str) -> None:
    data = WHOLE[form]
    assert calls.infer(GRPC_DOORS[door](data)).labels()
    for kept in (len(data) // 10, len(data) // 2, len(data) - 12, len(data) - 1):
        reply = calls.infer(GRPC_DOORS[door](data[:kept]))
        assert_refused(reply, INVALID, f"the {first(form)} image is corrupt or truncated")


@pytest.mark.parametrize("door", GRPC_DOORS)
@pytest.mark.parametrize("kind", BEGINNINGS)
def test_row_19_a_first_line_and_nothing_right_behind_it(calls: Client, kind: str, door: str) -> None:
    form, data = BEGINNINGS[kind]
    assert_refused(calls.infer(GRPC_DOORS[door](data)), INVALID, f"the {form} image is corrupt or truncated")


@pytest.mark.parametrize("door", GRPC_DOORS)
@pytest.mark.parametrize("claim", CLAIMS)
def test_row_20_a_header_over_the_limit(calls: Client, colour_server: Server, claim: str, door: str) -> None:
    make, side = CLAIMS[claim]
    before = peak_memory_bytes(colour_server.process.pid)
    reply = calls.infer(GRPC_DOORS[door](make(side, side)))
    assert_refused(reply, INVALID, f"{side} x {side} = {side * side} pixels", "at most 50000000", "scale it down")
    assert peak_memory_bytes(colour_server.process.pid) - before < GROWTH_BYTES


@pytest.mark.parametrize("door", GRPC_DOORS)
@pytest.mark.parametrize("kind", OTHERS)
def test_row_21_what_is_no_jpeg_png_or_webp(calls: Client, kind: str, door: str) -> None:
    reply = calls.infer(GRPC_DOORS[door](OTHERS[kind]))
    assert_refused(reply, INVALID, "not an image that is read here", "JPEG, PNG or WebP")


@pytest.mark.parametrize("door", GRPC_DOORS)
def test_row_21_an_empty_file(calls: Client, door: str) -> None:
    assert_refused(calls.infer(GRPC_DOORS[door](b"")), INVALID, "empty: 0 bytes", "JPEG, PNG or WebP")


@pytest.mark.parametrize("kind", [*GREYS, *COLOURED, *JPEGS])
def test_row_22_every_kind_of_pixel_has_one_conversion(calls: Client, kind: str) -> None:
    data, expected = {**GREYS, **COLOURED, **JPEGS}[kind]
    assert logits(calls, data) == pytest.approx(expected, abs=NEARLY if kind in JPEGS else EXACT)


@pytest.fixture
def quadrants(quadrant_server: Server) -> Iterator[Client]:
    with grpc.insecure_channel(quadrant_server.grpc_address) as channel:
        yield Client(channel)


@pytest.mark.parametrize("form", FORMATS)
def test_row_23_eight_orientations_are_one_answer(quadrants: Client, form: str) -> None:
    expected = (GAIN / 255 * PICTURE.ravel()).tolist()
    for number, stored in STORED.items():
        data = with_orientation(stored(upright()), form, number)
        found = logits(quadrants, data, model="quadrants")
        assert found == pytest.approx(expected, abs=NEARLY if form == "JPEG" else EXACT)


@pytest.mark.parametrize("door", GRPC_DOORS)
@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_row_24_of_an_animation_the_first_frame_counts(calls: Client, form: str, door: str) -> None:
    assert calls.infer(GRPC_DOORS[door](animation(form, "blue", "red", "lime"))).labels() == ["blue"]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (1, 16_383), (16_383, 1), (2, 3)], ids=brief)
def test_row_25_a_thin_image_is_answered(calls: Client, form: str, size: tuple[int, int]) -> None:
    data = plain((0, 255, 0), form, size)
    for ask in GRPC_DOORS.values():
        assert calls.infer(ask(data)).labels() == ["green"]
    assert logits(calls, data) == pytest.approx([0, GAIN, 0], abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1)], ids=brief)
def test_row_25_thin_pixels_are_answered(calls: Client, size: tuple[int, int]) -> None:
    values = np.array([0, 0, 255] * (size[0] * size[1]), np.uint8)
    entry = {"name": "pixels", "datatype": "UINT8", "shape": [1, *size, 3]}
    assert calls.infer(infer(entry, raw=(values.tobytes(),))).labels() == ["blue"]
    assert calls.infer(infer({**entry, "contents": {"uint_contents": values.tolist()}})).labels() == ["blue"]


@pytest.mark.parametrize("door", GRPC_DOORS)
@pytest.mark.parametrize("bad", [NOT_AN_IMAGE, RED[:-20], b"\xff\xd8\xff\xd9"], ids=["text", "truncated", "header"])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_row_27_one_bad_image_in_a_request_of_many(calls: Client, door: str, bad: bytes, position: int) -> None:
    files = [RED, GREEN, BLUE]
    files[position] = bad
    assert_refused(calls.infer(GRPC_DOORS[door](*files)), INVALID, f"image {position + 1} of 3: ")


def test_raw_and_typed_contents_give_the_same_answer(calls: Client) -> None:
    for data in WHOLE.values():
        assert calls.infer(ask_raw_contents(data)).labels() == calls.infer(ask_contents(data)).labels()


def test_exif_that_is_damaged_is_passed_over(calls: Client) -> None:
    jpeg, segment = plain((255, 0, 0), "JPEG"), b"Exif\0\0II*\0\xff\xff\xff\xff"
    data = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(segment)) + segment + jpeg[2:]
    assert calls.infer(ask_raw_contents(data)).labels() == ["red"]
