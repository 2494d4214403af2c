"""Tensors that are not what their request says, or not what the model takes: rows 1, 2, 4, 5, 6 and 18."""

import math
from typing import Any

import httpx
import numpy as np
import pytest
from bundles import SIZE
from doors import LENGTH_HEADER, assert_refused, b64, brief, framed, peak_memory_bytes, top_labels, v2, v2_with_tail
from pictures import BLUE, RED
from servers import Server

MISSING = object()
HUGE = 2**31
TENSOR_SHAPE = [1, 3, SIZE, SIZE]
VALUES = math.prod(TENSOR_SHAPE)

NO_NUMBER = [  # what may not stand in a list of numbers, and what the refusal calls it
    pytest.param("1", "strings", id="string"),
    pytest.param(True, "booleans", id="boolean"),
    pytest.param(None, "nulls", id="null"),
    pytest.param({}, "objects", id="object"),
    pytest.param([1], "lists", id="list"),
]


def image(**changes: Any) -> dict[str, Any]:
    return changed({"name": "image", "datatype": "BYTES", "shape": [1], "data": [b64(RED)]}, changes)


def pixels(**changes: Any) -> dict[str, Any]:
    return changed({"name": "pixels", "datatype": "UINT8", "shape": [1, 2, 2, 3], "data": [255, 0, 0] * 4}, changes)


def tensor(**changes: Any) -> dict[str, Any]:
    return changed({"name": "tensor", "datatype": "FP32", "shape": TENSOR_SHAPE, "data": [0.5] * VALUES}, changes)


def changed(entry: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**entry, **changes}.items() if value is not MISSING}


def ask(client: httpx.Client, *inputs: Any) -> httpx.Response:
    return v2({"inputs": list(inputs)}).send(client)


def ask_binary(client: httpx.Client, entry: dict[str, Any], tail: bytes) -> httpx.Response:
    entry = changed(entry, {"data": MISSING, "parameters": {"binary_data_size": len(tail)}})
    return v2_with_tail({"inputs": [entry]}, tail).send(client)


def floats(*values: float) -> bytes:
    return np.array(values, "<f4").tobytes()


def test_the_requests_below_are_answered_as_they_stand(colours: httpx.Client, tensors: httpx.Client) -> None:
    nested = np.array([255, 0, 0] * 4).reshape(1, 2, 2, 3).tolist()
    assert top_labels(ask(colours, image())) == ["red"]
    assert top_labels(ask(colours, pixels())) == ["red"]
    assert top_labels(ask(colours, pixels(data=nested))) == ["red"]
    assert top_labels(ask_binary(colours, image(), framed(BLUE))) == ["blue"]
    assert top_labels(ask_binary(colours, pixels(), bytes([0, 255, 0] * 4))) == ["green"]
    red = np.zeros(TENSOR_SHAPE, "<f4")
    red[0, 0] = 1
    assert top_labels(ask(tensors, tensor(data=red.ravel().tolist()))) == ["red"]
    assert top_labels(ask(tensors, tensor(data=red.tolist()))) == ["red"]
    assert top_labels(ask_binary(tensors, tensor(), red.tobytes())) == ["red"]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        pytest.param(image(shape=[2]), ("'image'", "[2]", "2 values, 1 were given"), id="images-fewer"),
        pytest.param(image(data=[b64(RED)] * 2), ("'image'", "[1]", "1 values, 2 were given"), id="images-more"),
        pytest.param(image(data=[]), ("'image'", "data = []"), id="images-none"),
        pytest.param(pixels(data=[0] * 11), ("'pixels'", "[1, 2, 2, 3]", "12 values, 11"), id="pixels-fewer"),
        pytest.param(pixels(data=[0] * 13), ("'pixels'", "12 values, 13"), id="pixels-more"),
        pytest.param(pixels(data=[[[[0] * 3] * 2]]), ("'pixels'", "nested", "[1, 2, 2, 3]"), id="nested-fewer"),
        pytest.param(pixels(data=[[[[0] * 3] * 3] * 2]), ("'pixels'", "nested"), id="nested-more"),
        pytest.param(pixels(data=[[[[0] * 3] * 2, [[0] * 3, [0] * 2]]]), ("nested",), id="nested-ragged"),
        pytest.param(pixels(data=[[0] * 12]), ("'pixels'", "nested"), id="nested-half-way"),
        pytest.param(pixels(data=[[[[[0]] * 3] * 2] * 2]), ("'pixels'", "lists"), id="nested-too-deep"),
        pytest.param(pixels(data=[[[[0] * 3] * 2, 7]]), ("'pixels'", "nested"), id="nested-mixed"),
        pytest.param(pixels(data=MISSING), ("'pixels'", "data is missing", "binary_data_size"), id="no-data"),
        pytest.param(pixels(data=5), ("'pixels'", "data = 5", "list"), id="data-no-list"),
        pytest.param(pixels(data={"0": 1}), ("'pixels'", "data = {'0': 1}"), id="data-object"),
    ],
)
def test_row_01_more_or_fewer_values_than_the_shape(
    colours: httpx.Client, entry: dict[str, Any], words: tuple[str, ...]
) -> None:
    assert_refused(ask(colours, entry), 400, *words)


@pytest.mark.parametrize("count", [1, VALUES - 1, VALUES + 1, 2 * VALUES])
def test_row_01_more_or_fewer_tensor_values(tensors: httpx.Client, count: int) -> None:
    words = ("'tensor'", f"{VALUES} values", f"{count} were given")
    assert_refused(ask(tensors, tensor(data=[0.5] * count)), 400, *words)
    assert_refused(ask_binary(tensors, tensor(), bytes(4 * count)), 400, *words)


@pytest.mark.parametrize(
    ("entry", "tail", "words"),
    [
        pytest.param(image(shape=[2]), framed(RED), ("'image'", "2 values, 1"), id="images-fewer"),
        pytest.param(image(), framed(RED, RED), ("'image'", "1 values, 2"), id="images-more"),
        pytest.param(image(), b"", ("'image'", "1 values, 0"), id="images-none"),
        pytest.param(pixels(), bytes(11), ("'pixels'", "12 values, 11"), id="pixels-fewer"),
        pytest.param(pixels(), bytes(13), ("'pixels'", "12 values, 13"), id="pixels-more"),
        pytest.param(pixels(), b"", ("'pixels'", "12 values, 0"), id="pixels-none"),
    ],
)
def test_row_01_more_or_fewer_binary_values_than_the_shape(
    colours: httpx.Client, entry: dict[str, Any], tail: bytes, words: tuple[str, ...]
) -> None:
    assert_refused(ask_binary(colours, entry, tail), 400, *words)


def test_row_01_half_a_binary_float(tensors: httpx.Client) -> None:
    answer = ask_binary(tensors, tensor(), bytes(4 * VALUES - 2))
    assert_refused(answer, 400, "'tensor'", f"binary_data_size = {4 * VALUES - 2}", "multiple of 4")


@pytest.mark.parametrize(
    "datatype", ["UINT8", "FP32", "STRING", "bytes", "", "BYTES ", None, 7, True, ["BYTES"], {}, MISSING]
)
def test_row_02_a_datatype_that_images_are_not(colours: httpx.Client, datatype: object) -> None:
    shown = "datatype is missing" if datatype in (None, MISSING) else f"datatype = {datatype!r}"
    words = ("'image'", shown, "must be BYTES")
    assert_refused(ask(colours, image(datatype=datatype)), 400, *words)
    assert_refused(ask_binary(colours, image(datatype=datatype), framed(RED)), 400, *words)


@pytest.mark.parametrize("datatype", ["INT8", "UINT16", "FP32", "BOOL", "BYTES", "float"])
def test_row_02_a_datatype_that_pixels_are_not(colours: httpx.Client, datatype: str) -> None:
    words = ("'pixels'", repr(datatype), "must be UINT8")
    assert_refused(ask(colours, pixels(datatype=datatype)), 400, *words)
    assert_refused(ask_binary(colours, pixels(datatype=datatype), bytes(12)), 400, *words)


@pytest.mark.parametrize("datatype", ["FP64", "FP16", "BF16", "INT32", "UINT8"])
def test_row_02_a_datatype_that_tensors_are_not(tensors: httpx.Client, datatype: str) -> None:
    words = ("'tensor'", repr(datatype), "must be FP32")
    assert_refused(ask(tensors, tensor(datatype=datatype)), 400, *words)
    assert_refused(ask_binary(tensors, tensor(datatype=datatype), bytes(4 * VALUES)), 400, *words)


@pytest.mark.parametrize("name", ["input", "Image", "image ", "", None, 0, True, ["image"], {}, MISSING])
def test_row_04_an_input_that_the_model_does_not_have(colours: httpx.Client, name: object) -> None:
    shown = "input name is missing" if name in (None, MISSING) else f"input name = {name!r}"
    words = (shown, "'colours'", "image, pixels")
    assert_refused(ask(colours, image(name=name)), 400, *words)
    assert_refused(ask_binary(colours, image(name=name), framed(RED)), 400, *words)


def test_row_04_an_input_of_another_variant(colours: httpx.Client) -> None:
    assert_refused(ask(colours, tensor()), 400, "'tensor'", "image, pixels")


def test_row_04_two_inputs(colours: httpx.Client) -> None:
    assert_refused(ask(colours, image(), pixels()), 400, "2 inputs", "exactly one of image, pixels")
    assert_refused(ask(colours, image(), image()), 400, "2 inputs")


UNSOUND = [[-1], [0], [2**63], [2**64], [10**30], [1.0], [1.5], ["1"], [True], [None], [[1]], [], [1, 1], 1, "1", {}]


@pytest.mark.parametrize("shape", [*UNSOUND, None, MISSING])
def test_row_05_a_shape_that_images_have_not(colours: httpx.Client, shape: object) -> None:
    shown = "shape is missing" if shape in (None, MISSING) else "shape = "
    words = ("'image'", shown, "[N]", "from 1 up")
    assert_refused(ask(colours, image(shape=shape)), 400, *words)
    assert_refused(ask_binary(colours, image(shape=shape), framed(RED)), 400, *words)
    assert_refused(ask_binary(colours, image(shape=shape), b""), 400, *words)


@pytest.mark.parametrize(
    "shape",
    [
        [1, -2, -2, 3],
        [1, 2, -1, 3],
        [1, 0, 2, 3],
        [0, 2, 2, 3],
        [1, 2, 2, 0],
        [1, 2, 2, 4],
        [1, 2, 2, 1],
        [2, 2, 3],
        [1, 1, 2, 2, 3],
        [1, 2**62, 2, 3],
        [1, 2**32, 2**32, 3],
        [1] * 10_000,
    ],
    ids=brief,
)
def test_row_05_a_shape_that_pixels_have_not(colours: httpx.Client, shape: list[int]) -> None:
    words = ("'pixels'", "shape = ", "[N, H, W, 3]", "from 1 up")
    assert_refused(ask(colours, pixels(shape=shape)), 400, *words)
    assert_refused(ask_binary(colours, pixels(shape=shape), bytes(12)), 400, *words)
    assert_refused(ask_binary(colours, pixels(shape=shape), b""), 400, *words)


@pytest.mark.parametrize(
    "shape", [[1, 3, SIZE, SIZE + 1], [1, SIZE, SIZE, 3], [1, 3 * SIZE * SIZE], [-1, 3, SIZE, SIZE]]
)
def test_row_05_a_shape_that_tensors_have_not(tensors: httpx.Client, shape: list[int]) -> None:
    words = ("'tensor'", f"shape = {shape}", f"[N, 3, {SIZE}, {SIZE}]")
    assert_refused(ask(tensors, tensor(shape=shape)), 400, *words)
    assert_refused(ask_binary(tensors, tensor(shape=shape), bytes(4 * VALUES)), 400, *words)


@pytest.mark.parametrize("shape", [[1, 30_000, 30_000, 3], [64, HUGE, HUGE, 3]])
def test_row_05_a_huge_shape_over_tiny_data(colours: httpx.Client, colour_server: Server, shape: list[int]) -> None:
    before = peak_memory_bytes(colour_server.process.pid)
    words = ("'pixels'", str(shape), f"{math.prod(shape)} values, 12 were given")
    assert_refused(ask(colours, pixels(shape=shape)), 400, *words)
    assert_refused(ask_binary(colours, pixels(shape=shape), bytes(12)), 400, *words)
    assert_refused(ask(colours, pixels(shape=shape, data=[[[[1] * 3]]])), 400, "'pixels'", "nested")
    assert peak_memory_bytes(colour_server.process.pid) - before < 20 << 20


@pytest.mark.parametrize(
    ("value", "called"), [*NO_NUMBER, pytest.param(1.5, "fractions"), pytest.param(1.0, "fractions")]
)
@pytest.mark.parametrize("position", [0, 7, 11])
def test_row_06_what_is_no_whole_number_among_pixels(
    colours: httpx.Client, position: int, value: object, called: str
) -> None:
    data: list[Any] = [0] * 12
    data[position] = value
    if isinstance(value, list) and position == 0:
        called = "nested"
    assert_refused(ask(colours, pixels(data=data)), 400, "'pixels'", called)


@pytest.mark.parametrize("value", [-1, 256, 2**63, -(2**63)])
def test_row_06_a_number_that_is_no_byte(colours: httpx.Client, value: int) -> None:
    assert_refused(ask(colours, pixels(data=[0] * 11 + [value])), 400, "'pixels'", f"holds {value}", "0 to 255")


@pytest.mark.parametrize("value", [2**64, 10**30])
def test_row_06_a_number_past_64_bits(colours: httpx.Client, value: int) -> None:
    assert_refused(ask(colours, pixels(data=[0] * 11 + [value])), 400, "'pixels'", "whole numbers from 0 to 255")


@pytest.mark.parametrize(("value", "called"), NO_NUMBER)
def test_row_06_what_is_no_number_in_a_tensor(tensors: httpx.Client, value: object, called: str) -> None:
    assert_refused(ask(tensors, tensor(data=[0.5] * (VALUES - 1) + [value])), 400, "'tensor'", called, "numbers")


def test_row_06_fp16_in_json(tensors: httpx.Client) -> None:
    assert_refused(ask(tensors, tensor(datatype="FP16")), 400, "'tensor'", "'FP16'", "must be FP32")


@pytest.mark.parametrize("value", [1, 1.5, True, None, {"b64": b64(RED)}, [1]], ids=brief)
def test_row_06_what_is_no_string_among_images(colours: httpx.Client, value: object) -> None:
    assert_refused(ask(colours, image(shape=[2], data=[b64(RED), value])), 400, "'image'", "base64 string")


@pytest.mark.parametrize(
    "text",
    ["*", "é", b64(RED)[:-1], b64(RED) + "=", b64(RED) + "\n", " " + b64(RED), "data:image/png;base64," + b64(RED)],
    ids=["star", "accent", "unpadded", "over-padded", "newline", "space", "data-url"],
)
def test_row_06_a_string_that_is_not_base64(colours: httpx.Client, text: str) -> None:
    answer = ask(colours, image(shape=[2], data=[b64(RED), text]))
    assert_refused(answer, 400, "'image'", "data[1]", "not base64", "padded")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("position", [0, 5, VALUES - 1])
def test_row_18_nan_and_infinity_in_a_binary_tensor(tensors: httpx.Client, position: int, value: float) -> None:
    data = [0.5] * VALUES
    data[position] = value
    assert_refused(ask_binary(tensors, tensor(), floats(*data)), 400, "'tensor'", "NaN or infinity", "finite")


def test_row_18_infinity_in_one_tensor_of_two(tensors: httpx.Client) -> None:
    data = floats(*[0.5] * (2 * VALUES - 1), math.inf)
    assert_refused(ask_binary(tensors, tensor(shape=[2, *TENSOR_SHAPE[1:]]), data), 400, "'tensor'", "NaN or infinity")


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "nan", "1e999", "-1e999"])
def test_row_18_nan_and_infinity_in_json(tensors: httpx.Client, literal: str) -> None:
    call = v2({"inputs": [tensor(data=[0.5] * (VALUES - 1) + ["HERE"])]})
    answer = v2(call.body.replace(b'"HERE"', literal.encode())).send(tensors)
    assert_refused(answer, 400, "JSON" if "e999" not in literal else "")


@pytest.mark.parametrize("value", [1e39, -1e300, 10**40], ids=brief)
def test_row_18_a_number_that_is_infinity_as_fp32(tensors: httpx.Client, value: float) -> None:
    assert_refused(ask(tensors, tensor(data=[0.5] * (VALUES - 1) + [value])), 400, "'tensor'", "infinity")


def test_a_header_length_is_not_needed_without_binary_data(colours: httpx.Client) -> None:
    call = v2({"inputs": [image()]})
    assert top_labels(call.with_headers(**{LENGTH_HEADER: str(len(call.body))}).send(colours)) == ["red"]
