"""Binary tensors whose lengths are wrong: rows 8, 9 and 10."""

import json
import struct
from typing import Any

import httpx
import pytest
from doors import (
    INFER,
    LENGTH_HEADER,
    Call,
    ask_v2_binary,
    ask_v2_json,
    assert_refused,
    b64,
    brief,
    framed,
    prefixed,
    top_labels,
    v2,
    v2_with_tail,
)
from pictures import BLUE, RED

TAIL = framed(RED)


def binary_image(size: Any, images: int = 1, **more: Any) -> dict[str, Any]:
    """Return a V2 document whose only input follows it, ``size`` bytes long."""
    parameters = {"binary_data_size": size}
    entry = {"name": "image", "datatype": "BYTES", "shape": [images], "parameters": parameters, **more}
    return {"inputs": [entry]}


@pytest.mark.parametrize(
    "value",
    ["abc", "-1", "+5", "1.5", "1e2", "0x10", "", "12 34", "12,34", "1_0", "٣", "²", "9" * 20, "9" * 5000],
    ids=brief,
)
def test_row_08_a_header_length_that_is_no_number(colours: httpx.Client, value: str) -> None:
    call = v2_with_tail(binary_image(len(TAIL)), TAIL)
    headers = [(name, text.encode()) for name, text in call.headers.items() if name != LENGTH_HEADER]
    answer = colours.post(INFER, content=call.body, headers=[*headers, (LENGTH_HEADER, value.encode())])
    assert_refused(answer, 400, LENGTH_HEADER, "number of bytes of the JSON")


@pytest.mark.parametrize("beyond", [1, 1000, 2**31, 10**15])
def test_row_08_a_header_length_past_the_body(colours: httpx.Client, beyond: int) -> None:
    call = ask_v2_binary(RED)
    length = len(call.body) + beyond
    answer = call.with_headers(**{LENGTH_HEADER: str(length)}).send(colours)
    assert_refused(answer, 400, f"{LENGTH_HEADER} = {length}", f"the body's {len(call.body)} bytes")


def test_row_08_a_header_length_of_nothing(colours: httpx.Client) -> None:
    assert_refused(ask_v2_binary(RED).with_headers(**{LENGTH_HEADER: "0"}).send(colours), 400, f"{LENGTH_HEADER} = 0")
    empty = Call(INFER, b"", {LENGTH_HEADER: "0"})
    assert_refused(empty.send(colours), 400, f"{LENGTH_HEADER} = 0")


@pytest.mark.parametrize("off", [-10, -1, 1, 10])
def test_row_08_a_header_length_beside_the_end_of_the_json(colours: httpx.Client, off: int) -> None:
    call = ask_v2_binary(RED)
    length = int(call.headers[LENGTH_HEADER]) + off
    assert_refused(call.with_headers(**{LENGTH_HEADER: str(length)}).send(colours), 400, "not valid JSON")


def test_row_08_none_where_binary_data_follows(colours: httpx.Client) -> None:
    call = ask_v2_binary(RED)
    answer = Call(call.path, call.body, {"Content-Type": "application/octet-stream"}).send(colours)
    assert_refused(answer, 400, "not valid JSON")


@pytest.mark.parametrize("size", [len(TAIL) + 1, len(TAIL) + 1000, 2**31, 2**63, 10**30])
def test_row_09_a_size_that_is_too_large(colours: httpx.Client, size: int) -> None:
    answer = v2_with_tail(binary_image(size), TAIL).send(colours)
    assert_refused(answer, 400, "'image'", "binary_data_size = ", f"{len(TAIL)} bytes are left")


@pytest.mark.parametrize("size", [-1, -len(TAIL), 1.0, float(len(TAIL)), "5", True, [len(TAIL)], {}], ids=brief)
def test_row_09_a_size_that_is_no_size(colours: httpx.Client, size: object) -> None:
    answer = v2_with_tail(binary_image(size), TAIL).send(colours)
    assert_refused(answer, 400, "'image'", f"binary_data_size = {size!r}", f"{len(TAIL)} bytes")


def test_row_09_a_size_that_is_null(colours: httpx.Client) -> None:
    answer = v2_with_tail(binary_image(None), TAIL).send(colours)
    assert_refused(answer, 400, "'image'", "data is missing", "binary_data_size")


@pytest.mark.parametrize("more", [b"\0", TAIL, b"{}"], ids=brief)
def test_row_09_bytes_left_over(colours: httpx.Client, more: bytes) -> None:
    answer = v2_with_tail(binary_image(len(TAIL)), TAIL + more).send(colours)
    assert_refused(answer, 400, f"{len(more)} bytes are left over", "binary_data_size is too small")


@pytest.mark.parametrize("short_by", [1, 4, len(RED), len(TAIL)])
def test_row_09_a_size_that_is_too_small(colours: httpx.Client, short_by: int) -> None:
    answer = v2_with_tail(binary_image(len(TAIL) - short_by), TAIL).send(colours)
    assert_refused(answer, 400, "'image'")


def test_row_09_a_size_that_is_too_small_for_pixels(colours: httpx.Client) -> None:
    entry = {"name": "pixels", "datatype": "UINT8", "shape": [1, 1, 1, 3], "parameters": {"binary_data_size": 3}}
    assert top_labels(v2_with_tail({"inputs": [entry]}, b"\xff\0\0").send(colours)) == ["red"]
    assert_refused(v2_with_tail({"inputs": [entry]}, b"\xff\0\0\0").send(colours), 400, "1 bytes are left over")


def test_row_09_bytes_left_over_behind_json_alone(colours: httpx.Client) -> None:
    document = json.loads(ask_v2_json(RED).body)
    assert_refused(v2_with_tail(document, TAIL).send(colours), 400, f"{len(TAIL)} bytes are left over")


def test_row_09_a_size_beside_data(colours: httpx.Client) -> None:
    document = binary_image(len(TAIL), data=[b64(RED)])
    assert_refused(
        v2_with_tail(document, TAIL).send(colours), 400, "'image'", "data and binary_data_size", "one of them"
    )
    assert_refused(v2(document).send(colours), 400, "'image'", "data and binary_data_size")


def test_row_09_a_size_with_nothing_behind_the_json(colours: httpx.Client) -> None:
    assert_refused(v2(binary_image(len(TAIL))).send(colours), 400, "'image'", f"{len(TAIL)}; 0 bytes are left")


@pytest.mark.parametrize(
    ("tail", "images", "words"),
    [
        pytest.param(
            prefixed(len(RED) + 1, RED), 1, ("element 0", f"{len(RED) + 1} bytes", f"{len(RED)} are"), id="by-one"
        ),
        pytest.param(prefixed(2**32 - 1, RED), 1, ("element 0", f"{2**32 - 1} bytes"), id="by-all"),
        pytest.param(prefixed(2**31, b""), 1, ("element 0", f"{2**31} bytes", "0 are left"), id="nothing-behind"),
        pytest.param(framed(RED) + prefixed(len(BLUE) + 9, BLUE), 2, ("element 1",), id="second"),
        pytest.param(framed(RED) + b"\1\0\0", 2, ("element 1", "4-byte length"), id="half-a-prefix"),
        pytest.param(b"\1", 1, ("element 0", "4-byte length"), id="one-byte"),
        pytest.param(struct.pack(">I", len(RED)) + RED, 1, ("element 0",), id="big-endian"),
        pytest.param(RED, 1, ("element 0",), id="no-prefix"),
    ],
)
def test_row_10_a_prefix_past_the_buffer(
    colours: httpx.Client, tail: bytes, images: int, words: tuple[str, ...]
) -> None:
    answer = v2_with_tail(binary_image(len(tail), images), tail).send(colours)
    assert_refused(answer, 400, "'image'", *words)


def test_row_10_an_element_that_claims_the_next(colours: httpx.Client) -> None:
    tail = prefixed(len(RED) + 4 + len(BLUE), RED + framed(BLUE))
    assert_refused(v2_with_tail(binary_image(len(tail), 2), tail).send(colours), 400, "2 values, 1 were given")


def test_row_10_an_empty_element(colours: httpx.Client) -> None:
    answer = v2_with_tail(binary_image(len(TAIL) + 4, 2), TAIL + prefixed(0, b"")).send(colours)
    assert_refused(answer, 400, "image 2 of 2", "empty")
