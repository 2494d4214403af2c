"""The codecs: what goes round comes back, and whatever comes in, only a refusal comes out."""

import base64
import contextlib
import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from json_values import values

from model_server.codec.document import MAX_CONTAINERS, MAX_VALUES, parse_document
from model_server.codec.images import decode_images
from model_server.codec.options import read_query_string
from model_server.codec.predictions import encode_predictions
from model_server.codec.v1 import decode_v1
from model_server.codec.v2 import OutputTensor
from model_server.codec.v2_binary import split_bytes, to_binary, weigh
from model_server.codec.v2_json import decode_v2, encode_v2
from model_server.errors import InvalidInput, ServingError, TooLarge
from model_server.types import Answer, EncodedImages, Pixels, Signature, Tensor, TensorSpec

SIGNATURE = Signature(
    name="colours",
    version="0123456789ab",
    platform="onnxruntime_float32",
    inputs=(
        TensorSpec("image", "BYTES", (-1,)),
        TensorSpec("pixels", "UINT8", (-1, -1, -1, 3)),
        TensorSpec("tensor", "FP32", (-1, 3, 2, 2)),
    ),
    outputs=(
        TensorSpec("labels", "BYTES", (-1, -1)),
        TensorSpec("probabilities", "FP32", (-1, -1)),
        TensorSpec("classes", "INT64", (-1, -1)),
        TensorSpec("logits", "FP32", (-1, 3)),
    ),
    class_count=3,
    max_images=4,
)
ANSWER = Answer(
    labels=[["rød", "blue"]],
    probabilities=np.array([[0.75, 0.25]], np.float32),
    classes=np.array([[0, 2]]),
    logits=np.array([[1.0, -1.0, 0.5]], np.float32),
)


def infer(*inputs: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps({"inputs": inputs, **fields}).encode()


@given(some.lists(some.binary(max_size=40), min_size=1, max_size=5))
def test_bytes_tensors_go_round(elements: list[bytes]) -> None:
    framed = to_binary(OutputTensor("image", "BYTES", (len(elements),), elements))
    assert split_bytes("image", memoryview(framed), (len(elements),)) == elements


@given(some.binary(max_size=200), some.integers(1, 5))
def test_any_bytes_are_elements_or_a_refusal(data: bytes, count: int) -> None:
    with contextlib.suppress(InvalidInput):
        elements = split_bytes("image", memoryview(data), (count,))
        assert sum(4 + len(element) for element in elements) == len(data)


names = some.sampled_from(["image", "pixels", "tensor", "labels", "other"]) | values
inputs = some.fixed_dictionaries(
    {},
    optional={
        "name": names,
        "datatype": some.sampled_from(["BYTES", "UINT8", "FP32", "FP16"]) | values,
        "shape": some.lists(some.integers(-1, 4), max_size=4) | values,
        "data": some.lists(some.integers(0, 300) | some.floats() | some.text(max_size=8), max_size=12) | values,
        "parameters": some.dictionaries(some.sampled_from(["binary_data_size"]), values) | values,
    },
)
requests = some.fixed_dictionaries(
    {},
    optional={
        "id": values,
        "inputs": some.lists(inputs, max_size=2) | values,
        "outputs": some.lists(some.fixed_dictionaries({"name": names, "parameters": values}), max_size=3) | values,
        "parameters": some.fixed_dictionaries({}, optional={"top_k": values, "timeout": values}) | values,
        "instances": some.lists(values, max_size=2) | values,
    },
)


@settings(max_examples=300)
@given(requests | values, some.binary(max_size=20), some.none() | some.text(max_size=4))
def test_any_document_is_a_query_or_a_refusal(document: Any, tail: bytes, length: str | None) -> None:
    body = orjson.dumps(document) + tail
    for decode in (
        lambda: decode_v2(body, length, SIGNATURE),
        lambda: decode_v2(body, str(len(body) - len(tail)), SIGNATURE),
        lambda: decode_v1(body, SIGNATURE),
    ):
        with contextlib.suppress(ServingError):
            decode()


@settings(max_examples=300)
@given(some.binary(max_size=300))
def test_any_form_is_files_or_a_refusal(body: bytes) -> None:
    for prefix in (b"", b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n'):
        with contextlib.suppress(ServingError):
            decode_images(prefix + body, "multipart/form-data; boundary=x", {}, SIGNATURE)


def test_every_input_may_come_nested_flat_or_binary() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    entry = {"name": "pixels", "datatype": "UINT8", "shape": [1, 2, 2, 3]}
    header = infer({**entry, "parameters": {"binary_data_size": 12}})
    for body, length in (
        (infer({**entry, "data": pixels.tolist()}), None),
        (infer({**entry, "data": pixels.ravel().tolist()}), None),
        (header + pixels.tobytes(), str(len(header))),
    ):
        content = decode_v2(body, length, SIGNATURE).query.content
        assert isinstance(content, Pixels)
        np.testing.assert_array_equal(content.values, pixels)


def test_a_tensor_may_hold_whole_numbers() -> None:
    body = infer({"name": "tensor", "datatype": "FP32", "shape": [1, 3, 2, 2], "data": [1, -0.5] * 6})
    content = decode_v2(body, None, SIGNATURE).query.content
    assert isinstance(content, Tensor)
    assert content.values.dtype == np.float32


def test_options_and_the_wish_for_logits_reach_the_query() -> None:
    image = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [base64.b64encode(b"png").decode()]}
    body = infer(image, parameters={"top_k": 2, "timeout": 250_000}, outputs=[{"name": "logits"}])
    query = decode_v2(body, None, SIGNATURE).query
    assert isinstance(query.content, EncodedImages)
    assert (query.content.files, query.top_k, query.timeout_seconds) == ([b"png"], 2, 0.25)
    assert query.with_logits


def test_an_answer_in_json_and_in_binary() -> None:
    image = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [""]}
    outputs = [{"name": "labels", "parameters": {"binary_data": True}}, {"name": "probabilities"}, {"name": "logits"}]
    body, length = encode_v2(ANSWER, decode_v2(infer(image, id="7", outputs=outputs), None, SIGNATURE), SIGNATURE)
    assert length is not None
    document = json.loads(body[:length])
    assert (document["model_name"], document["model_version"], document["id"]) == ("colours", "0123456789ab", "7")
    labels, probabilities, logits = document["outputs"]
    assert labels == {"name": "labels", "datatype": "BYTES", "shape": [1, 2], "parameters": {"binary_data_size": 16}}
    assert body[length:] == b"\x04\0\0\0r\xc3\xb8d\x04\0\0\0blue"
    assert probabilities["data"] == [0.75, 0.25]
    assert logits == {"name": "logits", "datatype": "FP32", "shape": [1, 3], "data": [1.0, -1.0, 0.5]}


def test_binary_data_output_is_the_default_that_an_output_may_overrule() -> None:
    image = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [""]}
    outputs = [{"name": "classes"}, {"name": "labels", "parameters": {"binary_data": False}}]
    body = infer(image, outputs=outputs, parameters={"binary_data_output": True})
    assert decode_v2(body, None, SIGNATURE).binary == {"classes"}


def test_predictions_of_one_image_are_a_list_and_of_many_a_list_of_lists() -> None:
    expected = [{"label": "rød", "class": 0, "probability": 0.75}, {"label": "blue", "class": 2, "probability": 0.25}]
    one = json.loads(encode_predictions(ANSWER, SIGNATURE, single=True))
    assert one == {"model": "colours", "revision": "0123456789ab", "predictions": expected}
    assert json.loads(encode_predictions(ANSWER, SIGNATURE))["predictions"] == [expected]


def test_a_document_of_many_numbers_is_not_taken_for_a_deep_one() -> None:
    wide = {"data": [[[number] for number in range(200)]]}
    assert parse_document(json.dumps(wide).encode()) == wide


def test_options_in_a_url() -> None:
    assert read_query_string({}, 3) == (None, None)
    assert read_query_string({"top_k": "3", "timeout_seconds": "0.5"}, 3) == (3, 0.5)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"top_k": "0"}, "top_k = 0; it must be a whole number from 1 to 3"),
        ({"top_k": "4"}, "top_k = 4"),
        ({"top_k": "two"}, "top_k = 'two'"),
        ({"top_k": "²"}, "top_k = '²'"),
        ({"timeout_seconds": "0"}, "timeout_seconds = '0'; it must be a number above 0"),
        ({"timeout_seconds": "nan"}, "timeout_seconds = 'nan'"),
        ({"timeout_seconds": "1e9"}, "at most 3600"),
        ({"topk": "3"}, "'topk' in the URL is not known; top_k and timeout_seconds are"),
    ],
)
def test_options_in_a_url_are_refused_by_name(query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_query_string(query, 3)
    assert message in refusal.value.message


def test_elements_beyond_the_shape_are_not_read() -> None:
    data = bytes(8) + b"\xff" * 100  # which is no element
    with pytest.raises(InvalidInput, match=r"shape \[1\] holds 1 values, 2 or more were given"):
        split_bytes("image", memoryview(data), (1,))


def test_instances_are_counted_before_they_are_decoded() -> None:
    body = json.dumps({"instances": [{"image": "no image"}] * 5}).encode()
    with pytest.raises(TooLarge, match="instances holds 5 images; at most 4 are taken"):
        decode_v1(body, SIGNATURE)


def test_inputs_are_counted_before_they_are_read() -> None:
    with pytest.raises(InvalidInput, match="2 inputs given; exactly one of image, pixels, tensor"):
        decode_v2(infer({}, {"parameters": 1}), None, SIGNATURE)


@pytest.mark.parametrize(
    ("inside", "most"),
    [
        (b"[" * (MAX_CONTAINERS + 1), f"{MAX_CONTAINERS} lists, objects and fields"),
        (b"{" * (MAX_CONTAINERS + 1), f"{MAX_CONTAINERS} lists, objects and fields"),
        (b'"":0,' * (MAX_CONTAINERS + 1), f"{MAX_CONTAINERS} lists, objects and fields"),
        (b"0," * (MAX_VALUES + 1), f"{MAX_VALUES} values"),
    ],
    ids=["lists", "objects", "fields", "values"],
)
def test_a_document_of_too_many_parts_is_refused_before_it_is_parsed(inside: bytes, most: str) -> None:
    with pytest.raises(TooLarge) as refusal:  # none of these is valid JSON
        parse_document(b'{"id": ' + inside)
    assert f"more than {most}; send fewer images, or tensors as binary data" in refusal.value.message


def test_brackets_within_strings_nest_nothing() -> None:
    document = {"id": '[{\\"' * 200}
    assert parse_document(json.dumps(document).encode()) == document


@pytest.mark.filterwarnings("error")
def test_a_number_past_fp32_is_refused_without_a_warning() -> None:
    body = infer({"name": "tensor", "datatype": "FP32", "shape": [1, 3, 2, 2], "data": [1e39] * 12})
    with pytest.raises(InvalidInput, match="NaN or infinity"):
        decode_v2(body, None, SIGNATURE)


@pytest.mark.parametrize(
    ("size", "length", "weight"),
    [
        (1000, None, 1000),
        (1000, "1000", 1000),
        (3300, "100", 200),
        (1000, "99999999", 1000),
        (1000, "-1", 1000),
        (1000, "9" * 4400, 1000),
    ],
)
def test_a_tensor_weighs_less_than_json(size: int, length: str | None, weight: int) -> None:
    assert weigh(bytes(size), length) == weight
