"""Tensors and names that are wrong, over gRPC: rows 1, 2, 4, 5, 6, 9 to 12, 17 and 18."""

import math
from typing import Any

import grpc
import numpy as np
import pytest
from bundles import SIZE
from doors import MODEL, brief, framed, peak_memory_bytes, prefixed
from grpc_doors import GRPC_DOORS, Client, Reply, ask_raw_contents, assert_refused, infer, message
from pictures import BLUE, RED
from servers import Server

INVALID = grpc.StatusCode.INVALID_ARGUMENT
TENSOR_SHAPE = [1, 3, SIZE, SIZE]
VALUES = math.prod(TENSOR_SHAPE)
HUGE = 2**31


def image(**changes: Any) -> dict[str, Any]:
    return {"name": "image", "datatype": "BYTES", "shape": [1], **changes}


def pixels(**changes: Any) -> dict[str, Any]:
    return {"name": "pixels", "datatype": "UINT8", "shape": [1, 2, 2, 3], **changes}


def tensor(**changes: Any) -> dict[str, Any]:
    return {"name": "tensor", "datatype": "FP32", "shape": TENSOR_SHAPE, **changes}


def both_ways(client: Client, entry: dict[str, Any], field: str, values: list[Any], raw: bytes) -> list[Reply]:
    """Ask with typed contents and with raw ones."""
    return [client.infer(infer({**entry, "contents": {field: values}})), client.infer(infer(entry, raw=(raw,)))]


def floats(*values: float) -> bytes:
    return np.array(values, "<f4").tobytes()


@pytest.mark.parametrize(("shape", "files"), [([2], [RED]), ([1], [RED, BLUE]), ([3], [RED, BLUE])])
def test_row_01_more_or_fewer_images_than_the_shape(calls: Client, shape: list[int], files: list[bytes]) -> None:
    for reply in both_ways(calls, image(shape=shape), "bytes_contents", files, framed(*files)):
        assert_refused(reply, INVALID, "'image'", f"{shape[0]} values, {len(files)}")


@pytest.mark.parametrize("count", [11, 13, 24])
def test_row_01_more_or_fewer_pixels(calls: Client, count: int) -> None:
    for reply in both_ways(calls, pixels(), "uint_contents", [1] * count, bytes(count)):
        assert_refused(reply, INVALID, "'pixels'", "[1, 2, 2, 3]", f"12 values, {count} were given")


@pytest.mark.parametrize("count", [1, VALUES - 1, VALUES + 1])
def test_row_01_more_or_fewer_tensor_values(tensor_calls: Client, count: int) -> None:
    for reply in both_ways(tensor_calls, tensor(), "fp32_contents", [0.5] * count, bytes(4 * count)):
        assert_refused(reply, INVALID, "'tensor'", f"{VALUES} values, {count} were given")


@pytest.mark.parametrize("entry", [image(), pixels()], ids=["image", "pixels"])
def test_row_01_no_values(calls: Client, entry: dict[str, Any]) -> None:
    count = math.prod(entry["shape"])
    for request in (infer(entry), infer({**entry, "contents": {}}), infer(entry, raw=(b"",))):
        assert_refused(calls.infer(request), INVALID, f"{count} values, 0 were given")


@pytest.mark.parametrize("datatype", ["UINT8", "FP32", "STRING", "bytes", "", "BYTES ", "x" * 5000], ids=brief)
def test_row_02_a_datatype_that_images_are_not(calls: Client, datatype: str) -> None:
    for reply in both_ways(calls, image(datatype=datatype), "bytes_contents", [RED], framed(RED)):
        assert_refused(reply, INVALID, "'image'", f"datatype = {datatype[:50]!r}"[:-1], "must be BYTES")


@pytest.mark.parametrize("datatype", ["INT8", "FP32", "BYTES"])
def test_row_02_a_datatype_that_pixels_are_not(calls: Client, datatype: str) -> None:
    for reply in both_ways(calls, pixels(datatype=datatype), "uint_contents", [1] * 12, bytes(12)):
        assert_refused(reply, INVALID, "'pixels'", repr(datatype), "must be UINT8")


@pytest.mark.parametrize("name", ["input", "Image", "", "tensor", "x" * 5000], ids=brief)
def test_row_04_an_input_that_the_model_does_not_have(calls: Client, name: str) -> None:
    for reply in both_ways(calls, image(name=name), "bytes_contents", [RED], framed(RED)):
        assert_refused(reply, INVALID, f"input name = {name[:50]!r}"[:-1], "image, pixels")


def test_row_04_none_or_two_inputs(calls: Client) -> None:
    assert_refused(calls.infer(infer()), INVALID, "0 inputs", "exactly one of image, pixels")
    assert_refused(calls.infer(infer(image(), pixels(), raw=(framed(RED), bytes(12)))), INVALID, "2 inputs")
    typed = image(contents={"bytes_contents": [RED]})
    assert_refused(calls.infer(infer(typed, typed)), INVALID, "2 inputs")


@pytest.mark.parametrize("shape", [[-1], [0], [2**63 - 1], [-(2**63)], [], [1, 1], [1] * 10_000], ids=brief)
def test_row_05_a_shape_that_images_have_not(calls: Client, shape: list[int]) -> None:
    for reply in both_ways(calls, image(shape=shape), "bytes_contents", [RED], framed(RED)):
        assert_refused(reply, INVALID, "'image'", "shape = ", "[N]", "from 1 up")


@pytest.mark.parametrize(
    "shape", [[1, -2, -2, 3], [1, 0, 2, 3], [1, 2, 2, 4], [2, 2, 3], [1, 2**62, 2, 3], [1, 2**32, 2**32, 3]], ids=brief
)
def test_row_05_a_shape_that_pixels_have_not(calls: Client, shape: list[int]) -> None:
    for reply in both_ways(calls, pixels(shape=shape), "uint_contents", [1] * 12, bytes(12)):
        assert_refused(reply, INVALID, "'pixels'", "shape = ", "[N, H, W, 3]")


@pytest.mark.parametrize("shape", [[1, 30_000, 30_000, 3], [64, HUGE, HUGE, 3]])
def test_row_05_a_huge_shape_over_tiny_data(calls: Client, colour_server: Server, shape: list[int]) -> None:
    before = peak_memory_bytes(colour_server.process.pid)
    for reply in both_ways(calls, pixels(shape=shape), "uint_contents", [1] * 12, bytes(12)):
        assert_refused(reply, INVALID, "'pixels'", f"{math.prod(shape)} values, 12 were given")
    assert peak_memory_bytes(colour_server.process.pid) - before < 20 << 20


FIELDS: dict[str, list[Any]] = {
    "bool_contents": [True],
    "int_contents": [1],
    "int64_contents": [1],
    "uint_contents": [1],
    "uint64_contents": [1],
    "fp32_contents": [1.0],
    "fp64_contents": [1.0],
    "bytes_contents": [RED],
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("entry", "wanted"), [(image(), "bytes_contents"), (pixels(shape=[1, 1, 1, 3]), "uint_contents")]
)
def test_row_06_values_in_another_datatypes_field(
    calls: Client, entry: dict[str, Any], wanted: str, field: str
) -> None:
    values = FIELDS[field] * math.prod(entry["shape"])
    if field != wanted:
        reply = calls.infer(infer({**entry, "contents": {field: values}}))
        assert_refused(reply, INVALID, f"contents.{field}", f"goes into {wanted}")
    reply = calls.infer(infer({**entry, "contents": {**FIELDS, wanted: FIELDS[wanted]}}))
    assert_refused(reply, INVALID, "contents.", f"goes into {wanted}")


@pytest.mark.parametrize("value", [256, 2**31, 2**32 - 1])
@pytest.mark.parametrize("position", [0, 11])
def test_row_06_a_number_that_is_no_byte(calls: Client, position: int, value: int) -> None:
    values = [0] * 12
    values[position] = value
    reply = calls.infer(infer(pixels(contents={"uint_contents": values})))
    assert_refused(reply, INVALID, "'pixels'", f"holds {value}", "0 to 255")


def test_row_09_half_a_float(tensor_calls: Client) -> None:
    reply = tensor_calls.infer(infer(tensor(), raw=(bytes(4 * VALUES - 2),)))
    assert_refused(reply, INVALID, "'tensor'", f"raw_input_contents holds {4 * VALUES - 2} bytes", "multiple of 4")


@pytest.mark.parametrize(
    ("tail", "images", "words"),
    [
        pytest.param(prefixed(len(RED) + 1, RED), 1, ("element 0", f"{len(RED) + 1} bytes"), id="by-one"),
        pytest.param(prefixed(2**32 - 1, RED), 1, ("element 0", f"{2**32 - 1} bytes"), id="by-all"),
        pytest.param(framed(RED) + prefixed(len(BLUE) + 9, BLUE), 2, ("element 1",), id="second"),
        pytest.param(framed(RED) + b"\1\0\0", 2, ("element 1", "4-byte length"), id="half-a-prefix"),
        pytest.param(b"\1", 1, ("element 0", "4-byte length"), id="one-byte"),
        pytest.param(RED, 1, ("element 0",), id="no-prefix"),
        pytest.param(prefixed(len(RED) + 4 + len(BLUE), RED + framed(BLUE)), 2, ("2 values, 1",), id="the-next-one"),
        pytest.param(framed(RED) + prefixed(0, b""), 2, ("image 2 of 2", "empty"), id="empty"),
        pytest.param(framed(RED) + b"\0" * 4, 1, ("1 values, 2",), id="left-over"),
    ],
)
def test_row_10_a_prefix_past_the_buffer(calls: Client, tail: bytes, images: int, words: tuple[str, ...]) -> None:
    assert_refused(calls.infer(infer(image(shape=[images]), raw=(tail,))), INVALID, *words)


@pytest.mark.parametrize("raw", [(framed(RED),) * 2, (framed(RED), b""), (b"",) * 100], ids=brief)
def test_row_11_raw_contents_that_are_not_as_many_as_inputs(calls: Client, raw: tuple[bytes, ...]) -> None:
    reply = calls.infer(infer(image(), raw=raw))
    assert_refused(reply, INVALID, f"raw_input_contents holds {len(raw)} tensors, inputs 1")


def test_row_11_raw_contents_beside_contents(calls: Client) -> None:
    reply = calls.infer(infer(image(contents={"bytes_contents": [RED]}), raw=(framed(RED),)))
    assert_refused(reply, INVALID, "'image'", "contents beside raw_input_contents", "one of them")


@pytest.mark.parametrize("name", ["nobody", "", "Colours", "x" * 5000, "é\n"], ids=brief)
def test_row_12_a_model_that_is_not_there(calls: Client, name: str) -> None:
    for kind in ("ModelReady", "ModelMetadata"):
        reply = calls.call(kind, message(f"{kind}Request", name=name))
        assert_refused(reply, grpc.StatusCode.NOT_FOUND, repr(name)[:50], f"there are: {MODEL}")
    assert_refused(calls.infer(ask_raw_contents(RED, model=name)), grpc.StatusCode.NOT_FOUND, f"there are: {MODEL}")


@pytest.mark.parametrize("version", ["1", "latest", "x" * 5000], ids=brief)
def test_row_12_a_version_that_is_not_there(calls: Client, version: str) -> None:
    for kind in ("ModelReady", "ModelMetadata"):
        reply = calls.call(kind, message(f"{kind}Request", name=MODEL, version=version))
        assert_refused(reply, grpc.StatusCode.NOT_FOUND, "has no version", version[:50])
    for ask in GRPC_DOORS.values():
        assert_refused(calls.infer(ask(RED, model_version=version)), grpc.StatusCode.NOT_FOUND, "has no version")


@pytest.mark.parametrize("door", GRPC_DOORS)
def test_row_17_an_output_that_is_not_there_or_twice(calls: Client, door: str) -> None:
    ask = GRPC_DOORS[door]
    missing = calls.infer(ask(RED, outputs=[{"name": "labels"}, {"name": "scores"}]))
    assert_refused(missing, INVALID, "output name = 'scores'", "labels, probabilities, classes, logits")
    twice = calls.infer(ask(RED, outputs=[{"name": "labels"}, {"name": "labels"}]))
    assert_refused(twice, INVALID, "'labels' is requested twice")
    classes = calls.infer(ask(RED, outputs=[{"name": "labels", "parameters": {"classification": {"int64_param": 2}}}]))
    assert_refused(classes, INVALID, "'labels'", "classification", "top_k")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("position", [0, VALUES - 1])
def test_row_18_nan_and_infinity(tensor_calls: Client, position: int, value: float) -> None:
    data = [0.5] * VALUES
    data[position] = value
    for reply in both_ways(tensor_calls, tensor(), "fp32_contents", data, floats(*data)):
        assert_refused(reply, INVALID, "'tensor'", "NaN or infinity", "finite")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("top_k", {"int64_param": 0}, "top_k = 0"),
        ("top_k", {"int64_param": 4}, "top_k = 4; it must be a whole number from 1 to 3"),
        ("top_k", {"int64_param": -(2**63)}, "top_k = -9223372036854775808"),
        ("top_k", {"string_param": "2"}, "top_k = '2'"),
        ("top_k", {"bool_param": True}, "top_k = True"),
        ("top_k", {}, "top_k = ''"),
        ("timeout", {"int64_param": 0}, "timeout = 0"),
        ("timeout", {"int64_param": 3_600_000_001}, "timeout = 3600000001"),
        ("timeout", {"string_param": "1"}, "timeout = '1'"),
    ],
    ids=brief,
)
def test_a_parameter_that_is_refused(calls: Client, name: str, value: dict[str, Any], words: str) -> None:
    for ask in GRPC_DOORS.values():
        assert_refused(calls.infer(ask(RED, parameters={name: value})), INVALID, words)
