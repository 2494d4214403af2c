"""Requests that go nowhere, the wrong way or in a dress nobody reads: rows 12, 15 and 16, and broken HTTP."""

import gzip
import json
import zlib

import httpx
import pytest
from doors import (
    DOORS,
    INFER,
    MODEL,
    PREDICT,
    PREDICT_V1,
    Call,
    ask_multipart,
    ask_raw,
    ask_v1,
    ask_v2_binary,
    ask_v2_json,
    assert_refused,
    brief,
    good_call,
    top_labels,
)
from pictures import BLUE, RED
from servers import Server
from wire import reset, wire

POSTS = [INFER, PREDICT_V1, PREDICT]
GETS = [
    "/",
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models",
    f"/v2/models/{MODEL}",
    f"/v2/models/{MODEL}/ready",
    "/v1/models",
    f"/v1/models/{MODEL}",
    f"/model/{MODEL}",
    f"/model/{MODEL}/samples/0",
]
UNKNOWN = ["other", "Colours", "colours2", "colour", "colours%20", "%00", "..", "%2e%2e", "ünï", "x" * 5000]
OF_A_MODEL = ["/v2/models/{}", "/v2/models/{}/ready", "/v1/models/{}", "/model/{}", "/model/{}/samples/0"]


def version(client: httpx.Client) -> str:
    return client.get(f"/v2/models/{MODEL}").json()["versions"][0]


@pytest.mark.parametrize("door", DOORS)
def test_row_12_an_unknown_model(colours: httpx.Client, door: str) -> None:
    call = DOORS[door](RED)
    elsewhere = Call(call.path.replace(MODEL, "other"), call.body, call.headers)
    assert_refused(elsewhere.send(colours), 404, "model 'other'", f"there are: {MODEL}")


@pytest.mark.parametrize("path", OF_A_MODEL)
def test_row_12_an_unknown_model_elsewhere(colours: httpx.Client, path: str) -> None:
    assert_refused(colours.get(path.format("other")), 404, "model 'other'", f"there are: {MODEL}")


@pytest.mark.parametrize("name", UNKNOWN, ids=brief)
def test_row_12_an_odd_name(colours: httpx.Client, name: str) -> None:
    for path in ("/v2/models/{}/infer", "/model/{}/predict"):
        answer = colours.post(path.format(name), content=RED, headers={"Content-Type": "application/json"})
        assert_refused(answer, 404)


@pytest.mark.parametrize("unknown", ["1", "latest", "0" * 12, "%20", "ü", "x" * 5000], ids=brief)
def test_row_12_an_unknown_version(colours: httpx.Client, unknown: str) -> None:
    served = version(colours)
    path = f"/v2/models/{MODEL}/versions/{unknown}"
    call = ask_v2_json(RED)
    for answer in (
        Call(f"{path}/infer", call.body, call.headers).send(colours),
        colours.get(path),
        colours.get(f"{path}/ready"),
    ):
        assert_refused(answer, 404, f"model '{MODEL}' has no version", served)


def test_row_12_the_version_that_is_served(colours: httpx.Client) -> None:
    path = f"/v2/models/{MODEL}/versions/{version(colours)}"
    call = ask_v2_json(BLUE)
    assert top_labels(Call(f"{path}/infer", call.body, call.headers).send(colours)) == ["blue"]
    assert colours.get(f"{path}/ready").json() == {"name": MODEL, "ready": True}


@pytest.mark.parametrize("number", ["3", "99", "9" * 30, "9" * 5000], ids=brief)
def test_row_12_an_unknown_sample(colours: httpx.Client, number: str) -> None:
    assert_refused(colours.get(f"/model/{MODEL}/samples/{number}"), 404, "sample")


@pytest.mark.parametrize(
    "path", ["/v3", "/v2/models/colours/predict", "/v1/models/colours:explain", "/metrics", "/model", "/docs", "/%ff"]
)
def test_row_12_an_unknown_path(colours: httpx.Client, path: str) -> None:
    assert_refused(colours.get(path), 404, "not a path of this server", "GET /")
    assert_refused(colours.post(path, content=RED), 404, "not a path of this server")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip,br", "nonsense", "x", "*", "utf-8"])
def test_row_15_an_unknown_content_encoding(colours: httpx.Client, door: str, encoding: str) -> None:
    answer = DOORS[door](RED).with_headers(content_encoding=encoding).send(colours)
    assert_refused(answer, 415, f"Content-Encoding: {encoding}", "gzip, deflate and identity")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "Deflate", "deflate", "identity"])
def test_row_15_a_known_content_encoding(colours: httpx.Client, door: str, encoding: str) -> None:
    call = DOORS[door](BLUE)
    compress = {"gzip": gzip.compress, "deflate": zlib.compress}.get(encoding.lower(), bytes)
    compressed = Call(call.path, compress(call.body), {**call.headers, "Content-Encoding": encoding})
    assert top_labels(compressed.send(colours)) == ["blue"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("damage", ["not compressed", "empty", "truncated", "corrupt", "bytes behind", "two streams"])
def test_row_15_a_body_that_does_not_decompress(colours: httpx.Client, door: str, encoding: str, damage: str) -> None:
    call = DOORS[door](RED)
    good = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding](call.body)
    body = {
        "not compressed": call.body,
        "empty": b"",
        "truncated": good[:-5],
        "corrupt": good[:-8] + bytes(8),
        "bytes behind": good + b"\0",
        "two streams": good + good,
    }[damage]
    answer = Call(call.path, body, {**call.headers, "Content-Encoding": encoding}).send(colours)
    assert_refused(answer, 400, encoding)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "image/png",
        "multipart/form-data; boundary=b",
        "json",
        "*/*",
        "",
    ],
)
def test_row_15_an_unknown_content_type(colours: httpx.Client, content_type: str) -> None:
    for call in (ask_v2_json(RED), ask_v2_binary(RED), ask_v1(RED)):
        answer = call.with_headers(content_type=content_type).send(colours)
        assert_refused(answer, 415, f"Content-Type: {content_type}", "application/json", "/model/<id>/predict")


def test_row_15_binary_data_is_not_v1(colours: httpx.Client) -> None:
    answer = ask_v1(RED).with_headers(content_type="application/octet-stream").send(colours)
    assert_refused(answer, 415, "application/octet-stream", "application/json")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"]
)
def test_row_15_json_by_another_spelling(colours: httpx.Client, content_type: str) -> None:
    for call in (ask_v2_json(RED), ask_v1(RED)):
        assert top_labels(call.with_headers(content_type=content_type).send(colours)) == ["red"]


def test_row_15_no_content_type(colours: httpx.Client) -> None:
    for call in (ask_v2_json(RED), ask_v1(RED), ask_raw(RED)):
        assert top_labels(Call(call.path, call.body, {}).send(colours)) == ["red"]


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "image/jpeg", "text/html", "application/json", "nonsense"]
)
def test_row_15_the_model_door_looks_at_the_bytes(colours: httpx.Client, content_type: str) -> None:
    assert top_labels(ask_raw(RED).with_headers(content_type=content_type).send(colours)) == ["red"]


def test_row_15_an_image_that_is_said_to_be_a_form(colours: httpx.Client) -> None:
    assert top_labels(ask_raw(RED).with_headers(content_type="multipart/form-data; boundary=b").send(colours)) == [
        "red"
    ]


def test_row_15_a_form_that_is_not_said_to_be_one(colours: httpx.Client) -> None:
    answer = ask_multipart(RED).with_headers(content_type="application/x-www-form-urlencoded").send(colours)
    assert_refused(answer, 400, "not an image", "JPEG, PNG or WebP")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", POSTS)
def test_row_16_another_method_than_post(colours: httpx.Client, path: str, method: str) -> None:
    answer = colours.request(method, path)
    assert_refused(answer, 405, f"{method} is not taken by {path}", "send POST")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", GETS)
def test_row_16_another_method_than_get(colours: httpx.Client, path: str, method: str) -> None:
    answer = colours.request(method, path, content=RED)
    assert_refused(answer, 405, f"{method} is not taken by {path}", "GET")
    assert {allowed.strip() for allowed in answer.headers["allow"].split(",")} == {"GET", "HEAD"}


def test_row_16_head_where_post_is_taken(colours: httpx.Client) -> None:
    for path in POSTS:
        answer = colours.head(path)
        assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


def test_row_16_head_where_get_is_taken(colours: httpx.Client) -> None:
    for path in GETS:
        answer = colours.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


BROKEN = {
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00 hello\r\n\r\n",
    "method that is none": b"BR/W / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "method that nobody knows": b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "line feeds alone": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "space before a colon": b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "header without a colon": b"GET / HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n",
    "no path": b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zero byte": b"GET / HTTP/1.1\r\nHost: local\0host\r\n\r\n",
    "length that is no number": ask_raw(RED).to_bytes().replace(b"Length: 8", b"Length: x"),
    "negative length": f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n".encode(),
    "two lengths": f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".encode(),
    "length and chunks": (
        f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode()
    ),
    "broken chunk": f"POST {PREDICT} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n".encode(),
}


@pytest.mark.parametrize("case", BROKEN)
def test_row_16_what_is_not_http(colours: httpx.Client, colour_server: Server, case: str) -> None:
    with wire(colour_server.url) as line:
        line.send(BROKEN[case])
        assert line.read().status_code == 400
        assert line.is_at_end()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("rudely", [False, True], ids=["closes", "resets"])
def test_row_19_a_body_that_ends_half_way(
    colours: httpx.Client,
    colour_server: Server,
    door: str,
    rudely: bool,
) -> None:
    call = DOORS[door](RED)
    with wire(colour_server.url) as line:
        line.send(call.to_bytes(length=len(call.body) + 100))
        if rudely:
            reset(line.connection)
        else:
            line.end_sending()
            assert line.is_at_end()


def test_pipelined_requests_are_answered_in_order(colours: httpx.Client, colour_server: Server) -> None:
    wrong = ask_v2_json(b"no image")
    with wire(colour_server.url) as line:
        line.send(ask_raw(BLUE).to_bytes() + wrong.to_bytes() + good_call().to_bytes() + ask_v1(RED).to_bytes())
        assert top_labels(line.read()) == ["blue"]
        assert_refused(line.read(), 400, "not an image")
        assert top_labels(line.read()) == ["red", "green", "blue"]
        assert top_labels(line.read()) == ["red"]


def test_a_refusal_leaves_the_connection_usable_if_the_body_came(
    colours: httpx.Client,
    colour_server: Server,
) -> None:
    refused = Call(f"/v2/models/{MODEL}/infer", json.dumps({"x": "y" * 300}).encode(), {"Content-Type": "text/plain"})
    with wire(colour_server.url) as line:
        line.send(refused.to_bytes() + good_call().to_bytes())
        assert_refused(line.read(), 415, "text/plain")
        assert top_labels(line.read()) == ["red", "green", "blue"]
