"""JSON that is none, or not a request, and forms that are none: rows 3, 7 and 17."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from doors import (
    BOUNDARY,
    END,
    MODEL,
    Call,
    ask_v1,
    ask_v2_json,
    assert_refused,
    b64,
    brief,
    form,
    framed,
    part,
    top_labels,
    v1,
    v2,
    v2_with_tail,
)
from pictures import GREEN, RED

DOCUMENTS: dict[str, Callable[..., Call]] = {
    "v2": v2,
    "v2-binary": lambda document: v2_with_tail(document, framed(RED)),
    "v1": v1,
}
IMAGE = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [b64(RED)]}
BINARY_IMAGE = {
    "name": "image",
    "datatype": "BYTES",
    "shape": [1],
    "parameters": {"binary_data_size": len(framed(RED))},
}
INSTANCE = {"image": {"b64": b64(RED)}}


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """Return a document that is ``depth`` deep beside a sound request."""
    inside = opening * (depth - 1) + b"1" + closing * (depth - 1)
    return ask_v2_json(RED).body[:-1] + b', "unknown": ' + inside + b"}"


@pytest.mark.parametrize("document", [{}, {"id": "1"}, {"inputs": None}, {"inputs": []}, {"input": [IMAGE]}], ids=brief)
@pytest.mark.parametrize("door", ["v2", "v2-binary"])
def test_row_03_no_inputs(colours: httpx.Client, door: str, document: dict[str, object]) -> None:
    said = "inputs = []" if document.get("inputs") == [] else "inputs is missing"
    assert_refused(DOCUMENTS[door](document).send(colours), 400, said, "list of objects, at least one")


@pytest.mark.parametrize("inputs", [{}, IMAGE, "image", 1, True, [1], ["image"], [None], [[]], [IMAGE, 1]], ids=brief)
def test_row_03_inputs_that_are_no_list_of_objects(colours: httpx.Client, inputs: object) -> None:
    assert_refused(v2({"inputs": inputs}).send(colours), 400, "inputs = ", "list of objects")


@pytest.mark.parametrize("document", [{}, {"parameters": {}}, {"instances": None}, {"instances": []}], ids=brief)
def test_row_03_no_instances(colours: httpx.Client, document: object) -> None:
    assert_refused(v1(document).send(colours), 400, "instances", "at least one", '{"image": {"b64":')


@pytest.mark.parametrize("instances", [{}, INSTANCE, "image", 1, True], ids=brief)
def test_row_03_instances_that_are_no_list(colours: httpx.Client, instances: object) -> None:
    assert_refused(v1({"instances": instances}).send(colours), 400, "instances = ", "a list")


@pytest.mark.parametrize(
    "instance",
    [
        None,
        1,
        b64(RED),
        [],
        {},
        {"image": b64(RED)},
        {"b64": b64(RED)},
        {"image": {}},
        {"image": {"b64": None}},
        {"image": {"b64": 1}},
        {"image": {"b64": [b64(RED)]}},
    ],
    ids=brief,
)
def test_row_03_an_instance_that_is_no_image(colours: httpx.Client, instance: object) -> None:
    assert_refused(v1({"instances": [INSTANCE, instance]}).send(colours), 400, "instances[1] = ", '"b64"')


@pytest.mark.parametrize(
    ("instance", "field"),
    [({"image": {"b64": b64(RED), "more": 1}}, "'image.more'"), ({**INSTANCE, "more": 1}, "'more'")],
)
def test_row_03_an_instance_with_a_field_too_many(colours: httpx.Client, instance: object, field: str) -> None:
    answer = v1({"instances": [INSTANCE, instance]}).send(colours)
    assert_refused(answer, 400, f"{field} is not a field of instances[1]", '"b64"')


def test_row_03_an_instance_that_is_not_base64(colours: httpx.Client) -> None:
    answer = v1({"instances": [INSTANCE, {"image": {"b64": "AAAA=="}}]}).send(colours)
    assert_refused(answer, 400, "instances[1].image.b64", "'AAAA=='", "not base64")


def test_row_03_a_field_that_v1_does_not_have(colours: httpx.Client) -> None:
    answer = v1({"instances": [INSTANCE], "signature_name": "x"}).send(colours)
    assert_refused(answer, 400, "'signature_name'", "instances and parameters")


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ([], "array"),
        ([IMAGE], "array"),
        ("text", "string"),
        (1, "number"),
        (1.5, "number"),
        (None, "null"),
        (True, "boolean"),
    ],
    ids=brief,
)
@pytest.mark.parametrize("door", DOCUMENTS)
def test_row_03_a_document_that_is_no_object(colours: httpx.Client, door: str, document: object, kind: str) -> None:
    assert_refused(DOCUMENTS[door](document).send(colours), 400, f"a JSON {kind}", "must be an object")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"inputs",
        b"{'inputs': []}",
        b'{"inputs": [],}',
        b'{"inputs": NaN}',
        b'{"inputs": []} {}',
        b'{"inputs": []}\0',
        b'\xef\xbb\xbf{"inputs": []}',
        '{"id": "ä"}'.encode("latin-1"),
        b'{"id": "\\ud800"}',
        '{"inputs": []}'.encode("utf-16"),
        RED,
        ask_v2_json(RED).body[:-1],
        ask_v1(RED).body[:-2],
    ],
    ids=brief,
)
@pytest.mark.parametrize("write", [v1, v2])
def test_row_03_invalid_json(colours: httpx.Client, write: Callable[[bytes], Call], body: bytes) -> None:
    assert_refused(write(body).send(colours), 400, "not valid JSON", "/model/<id>/predict")


@pytest.mark.parametrize("depth", [101, 500, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["arrays", "objects"])
def test_row_03_nesting_over_100(colours: httpx.Client, depth: int, opening: bytes, closing: bytes) -> None:
    words = ("nested deeper than 100",) if depth < 1000 else ("JSON",)
    assert_refused(v2(nested(depth, opening, closing)).send(colours), 400, *words)
    instances = b'{"instances": ' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"
    assert_refused(v1(instances).send(colours), 400, *words)


def test_row_03_nesting_of_100(colours: httpx.Client) -> None:
    assert top_labels(v2(nested(100)).send(colours)) == ["red"]


@pytest.mark.parametrize("parameters", [1, "top_k", [], True], ids=brief)
def test_row_03_parameters_that_are_no_object(colours: httpx.Client, parameters: object) -> None:
    words = (f"parameters = {parameters!r}", "must be an object")
    assert_refused(v2({"inputs": [IMAGE], "parameters": parameters}).send(colours), 400, *words)
    assert_refused(v2({"inputs": [{**IMAGE, "parameters": parameters}]}).send(colours), 400, "'image'", *words)
    assert_refused(v1({"instances": [INSTANCE], "parameters": parameters}).send(colours), 400, *words)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        pytest.param(form(b""), ("empty", "--data-binary @cat.jpg"), id="empty"),
        pytest.param(form(END), ("no file",), id="no-part"),
        pytest.param(form(part(RED)), ("ends before its closing boundary",), id="not-closed"),
        pytest.param(form(part(RED)[:-40]), ("ends before its closing boundary",), id="cut"),
        pytest.param(form(b"no boundary at all"), ("malformed",), id="no-boundary-in-the-body"),
        pytest.param(form(part(RED) + END, boundary="another"), ("malformed",), id="another-boundary"),
        pytest.param(form(part(RED) + END, boundary=""), ("malformed",), id="no-boundary"),
        pytest.param(
            form(part(b"red", 'form-data; name="colour"') + END), ("'colour'", "no file", "?top_k="), id="field"
        ),
        pytest.param(form(part(RED, "form-data") + END), ("malformed",), id="no-name"),
        pytest.param(form(part(RED, "") + END), ("malformed",), id="no-disposition"),
        pytest.param(
            form(f"--{BOUNDARY}\r\nBroken header\r\n\r\n".encode() + RED + END), ("malformed",), id="bad-header"
        ),
        pytest.param(form(f"--{BOUNDARY}\r\n\r\n".encode() + RED + b"\r\n" + END), ("malformed",), id="no-header"),
        pytest.param(form(part(RED) + part(b"") + END), ("image 2 of 2", "empty"), id="empty-file"),
    ],
)
def test_row_03_a_form_that_is_none(colours: httpx.Client, call: Call, words: tuple[str, ...]) -> None:
    assert_refused(call.send(colours), 400, *words)


def test_row_03_a_form_without_a_boundary(colours: httpx.Client) -> None:
    call = form(part(RED) + END).with_headers(content_type="multipart/form-data")
    assert_refused(call.send(colours), 400, "malformed", "-F image=@cat.jpg")


def test_row_03_nothing_at_all(colours: httpx.Client) -> None:
    assert_refused(Call(f"/model/{MODEL}/predict", b"", {}).send(colours), 400, "empty", "--data-binary @cat.jpg")


@pytest.mark.parametrize("key", ["topk", "timeout", "TOP_K", ""])
def test_row_03_a_key_in_the_url_that_is_not_known(colours: httpx.Client, key: str) -> None:
    answer = Call(f"/model/{MODEL}/predict?{key}=1", RED, {}).send(colours)
    assert_refused(answer, 400, repr(key), "top_k and timeout_seconds")


@pytest.mark.parametrize("request_id", [0, 1.5, True, False, [], ["1"], {}, {"id": "1"}], ids=brief)
def test_row_07_an_id_that_is_no_string(colours: httpx.Client, request_id: object) -> None:
    words = (f"id = {request_id!r}", "must be a string")
    assert_refused(v2({"id": request_id, "inputs": [IMAGE]}).send(colours), 400, *words)
    binary = v2_with_tail({"id": request_id, "inputs": [BINARY_IMAGE]}, framed(RED))
    assert_refused(binary.send(colours), 400, *words)


@pytest.mark.parametrize("request_id", ["", "7", "ünï 😀", "x" * 10_000, "null"], ids=brief)
def test_row_07_an_id_comes_back_as_it_was(colours: httpx.Client, request_id: str) -> None:
    answer = v2({"id": request_id, "inputs": [IMAGE]}).send(colours)
    assert top_labels(answer) == ["red"]
    assert answer.json()["id"] == request_id


OUTPUTS: list[tuple[Any, tuple[str, ...]]] = [
    ([{"name": "label"}], ("output name = 'label'", "labels, probabilities, classes, logits")),
    ([{"name": "labels"}, {"name": "output"}], ("output name = 'output'", "labels, probabilities")),
    ([{"name": "labels"}, {"name": "classes"}, {"name": "labels"}], ("'labels'", "twice")),
    ([{}], ("output name = None",)),
    ([{"name": None}], ("output name = None",)),
    ([{"name": 0}], ("output name = 0",)),
    ([{"name": ["labels"]}], ("output name = ['labels']",)),
    (["labels"], ("outputs = ", "list of objects")),
    ([None], ("outputs = ", "list of objects")),
    ({"name": "labels"}, ("outputs = ", "list of objects")),
    ("labels", ("outputs = 'labels'", "list of objects")),
    ([{"name": "labels", "parameters": 1}], ("'labels'", "parameters = 1")),
    ([{"name": "labels", "parameters": {"binary_data": 1}}], ("'labels'", "binary_data = 1", "true or false")),
    ([{"name": "classes", "parameters": {"classification": 2}}], ("'classes'", "classification", "top_k")),
]


@pytest.mark.parametrize(("outputs", "words"), OUTPUTS, ids=[brief(outputs) for outputs, _ in OUTPUTS])
def test_row_17_an_output_that_is_not_there_or_twice(
    colours: httpx.Client, outputs: object, words: tuple[str, ...]
) -> None:
    assert_refused(v2({"inputs": [IMAGE], "outputs": outputs}).send(colours), 400, *words)
    binary = v2_with_tail({"inputs": [BINARY_IMAGE], "outputs": outputs}, framed(RED))
    assert_refused(binary.send(colours), 400, *words)


@pytest.mark.parametrize("value", [0, -1, 4, 2**70, 1.0, "2", True, [], {}], ids=brief)
def test_row_17_a_number_of_labels_that_the_model_does_not_have(colours: httpx.Client, value: object) -> None:
    words = ("top_k = ", "from 1 to 3")
    assert_refused(v2({"inputs": [IMAGE], "parameters": {"top_k": value}}).send(colours), 400, *words)
    assert_refused(v1({"instances": [INSTANCE], "parameters": {"top_k": value}}).send(colours), 400, *words)


@pytest.mark.parametrize("value", ["0", "-1", "4", "9" * 30, "1.0", "two", "", "+1", "%D9%A1", " 1"], ids=brief)
def test_row_17_a_number_of_labels_in_the_url(colours: httpx.Client, value: str) -> None:
    answer = Call(f"/model/{MODEL}/predict?top_k={value}", GREEN, {}).send(colours)
    assert_refused(answer, 400, "top_k = ", "from 1 to 3")
