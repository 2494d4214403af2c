"""Connections, not requests: upgrades, endless heads, clients that drip, and answers that end a connection."""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from doors import INFER, MODEL, PREDICT, Call, ask_raw, assert_refused, good_call, top_labels
from pictures import BLUE, RED
from servers import Server, running_server, wait_until
from wire import Wire, wire

HEAD_BYTES = 64 << 10
BODY_TIMEOUT_SECONDS = 1.0
DRIP_SECONDS = 10.0
"""When a client that drips is given up: long after the server should have."""
UPGRADES = {
    "h2c": {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"},
    "unknown": {"Connection": "upgrade", "Upgrade": "foo"},
    "websocket": {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
}


@pytest.fixture(scope="module")
def impatient_server(colour_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits for nobody."""
    log = tmp_path_factory.mktemp("log") / "server.log"
    limits = ("--body-timeout-seconds", str(BODY_TIMEOUT_SECONDS))
    with running_server(log, "--models", str(colour_bundle), *limits) as server:
        yield server


def drip(line: Wire, byte: bytes = b"x") -> None:
    """Send a byte now and then until the server hangs up."""
    deadline = time.monotonic() + DRIP_SECONDS
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < deadline:
            line.send(byte)
            time.sleep(0.1)
        pytest.fail(f"the server still listens after {DRIP_SECONDS} seconds")


def access_lines(server: Server) -> list[dict[str, object]]:
    return [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]


@pytest.mark.parametrize("upgrade", UPGRADES)
def test_an_upgrade_is_not_had_and_the_request_answered(
    colours: httpx.Client, colour_server: Server, upgrade: str
) -> None:
    with wire(colour_server.url) as line:
        line.send(ask_raw(BLUE).to_bytes().replace(b"\r\n", _lines(UPGRADES[upgrade]), 1))
        assert top_labels(line.read()) == ["blue"]
        line.send(good_call().to_bytes())
        assert top_labels(line.read()) == ["red", "green", "blue"]


def _lines(headers: dict[str, str]) -> bytes:
    return "".join(["\r\n", *(f"{name}: {value}\r\n" for name, value in headers.items())]).encode()


def test_a_body_in_crumbs_is_refused(colours: httpx.Client, colour_server: Server) -> None:
    """Each piece costs what a large one does: a megabyte of single bytes would keep all others waiting."""
    with wire(colour_server.url) as line:
        line.send(f"POST {PREDICT} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            line.send(b"1\r\nx\r\n" * 2000)
        assert_refused(line.read(), 400, "the body comes in pieces of less than 256 bytes")


@pytest.mark.parametrize("upgrade", UPGRADES)
def test_the_body_behind_an_upgrade_is_no_request(colours: httpx.Client, colour_server: Server, upgrade: str) -> None:
    smuggled = Call("/v2/models", b"", {}, "GET").to_bytes()
    with wire(colour_server.url) as line:
        head = Call(PREDICT, b"", {**UPGRADES[upgrade], "Expect": "100-continue"})
        line.send(head.to_bytes(length=len(smuggled)))
        assert line.read().status_code == 100
        line.send(smuggled)
        assert_refused(line.read(), 400, "not an image")
        line.send(Call("/v2/health/live", b"", {}, "GET").to_bytes())
        assert line.read().json() == {"live": True}


@pytest.mark.parametrize("begin", [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n"])
def test_a_head_without_end(colours: httpx.Client, colour_server: Server, begin: bytes) -> None:
    more = b"X: y\r\n" * 1000 if begin.endswith(b"1.1\r\n") else b"x" * 6000
    with wire(colour_server.url) as line:
        line.send(begin)
        with contextlib.suppress(ConnectionError):
            for _ in range(HEAD_BYTES // len(more) + 2):
                line.send(more)
        assert_refused(line.read(), 431)
        assert line.is_at_end()


def test_a_head_that_is_too_long_though_it_came_at_once(colours: httpx.Client, colour_server: Server) -> None:
    with wire(colour_server.url) as line:
        line.send(Call("/", b"", {"X": "x" * HEAD_BYTES}, "GET").to_bytes())
        assert_refused(line.read(), 431)
        assert line.is_at_end()


def test_a_long_path_is_shortened_in_the_log(colours: httpx.Client, colour_server: Server) -> None:
    path = f"/{'long' * 1000}"
    before = len(access_lines(colour_server))
    colours.get(path)
    wait_until(lambda: len(access_lines(colour_server)) > before)
    assert access_lines(colour_server)[before]["path"] == path[:197] + "..."


@pytest.mark.parametrize("begun", [b"", b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nA: "], ids=["nothing", "half"])
def test_row_34_a_head_that_never_ends(impatient_server: Server, begun: bytes) -> None:
    with wire(impatient_server.url) as line:
        line.send(begun)
        if begun:
            drip(line)
        else:
            assert line.is_at_end()


def test_row_34_a_head_that_stops_half_way_is_told_so(impatient_server: Server) -> None:
    with wire(impatient_server.url) as line:
        line.send(b"GET / HTTP/1.1\r\n")
        assert_refused(line.read(), 408, "headers", "1 seconds")
        assert line.is_at_end()


def test_row_34_a_second_head_that_never_ends(impatient_server: Server) -> None:
    with wire(impatient_server.url) as line:
        line.send(good_call().to_bytes())
        assert top_labels(line.read()) == ["red", "green", "blue"]
        line.send(b"GET / HTTP/1.1\r\nA: ")
        drip(line)


def test_row_34_an_idle_connection_is_kept_between_requests(impatient_server: Server) -> None:
    with wire(impatient_server.url) as line:
        for _ in range(2):
            line.send(good_call().to_bytes())
            assert top_labels(line.read()) == ["red", "green", "blue"]
            time.sleep(1.5 * BODY_TIMEOUT_SECONDS)  # nothing happens: there is nothing to poll


def test_row_34_a_body_that_drips(impatient_server: Server) -> None:
    with wire(impatient_server.url) as line, httpx.Client(base_url=impatient_server.url, trust_env=False) as other:
        line.send(ask_raw(b"").to_bytes(length=1000))
        assert top_labels(good_call().send(other)) == ["red", "green", "blue"]
        refused = line.read()
        assert_refused(refused, 408)
        assert refused.headers["connection"] == "close"
        drip(line)


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (ask_raw(b""), 413),
        (Call(INFER, b"", {"Content-Type": "text/plain"}), 415),
        (ask_raw(b"").with_headers(content_encoding="br"), 415),
        (Call("/model/other/predict", b"", {}), 404),
        (Call("/nowhere", b"", {}), 404),
        (Call(f"/model/{MODEL}", b"", {}), 405),
    ],
    ids=["too large", "type", "encoding", "model", "path", "method"],
)
def test_a_refusal_before_the_end_of_the_body_ends_the_connection(
    colours: httpx.Client, colour_server: Server, call: Call, status: int
) -> None:
    with wire(colour_server.url) as line:
        line.send(call.to_bytes(length=2**40))
        refused = line.read()
        assert_refused(refused, status)
        assert refused.headers["connection"] == "close"
        assert line.is_at_end()
        drip(line)


def test_a_client_that_is_still_sending_sees_its_refusal(colours: httpx.Client, colour_server: Server) -> None:
    with wire(colour_server.url) as line:
        line.send(ask_raw(bytes(8 << 20)).with_headers(content_encoding="br").to_bytes())
        assert_refused(line.read(), 415, "br")
        assert line.is_at_end()


def test_a_slash_at_the_end_is_another_path(colours: httpx.Client) -> None:
    assert_refused(colours.post(f"{PREDICT}/", content=RED, headers={"Host": "elsewhere"}), 404, "not a path")
    assert_refused(colours.get("/v2/models/"), 404, "not a path")


def test_what_is_not_http_is_refused_like_everything_else(colours: httpx.Client, colour_server: Server) -> None:
    with wire(colour_server.url) as line:
        line.send(b"\x16\x03\x01\x02\x00\x01\x00 hello\r\n\r\n")
        assert_refused(line.read(), 400, "not valid HTTP/1.1")
        assert line.is_at_end()


BREAKING = """
import sys
sys.argv[0] = "model_server"
from model_server import __main__ as server
from model_server.predictor import VisionModel

async def predict(self, query):
    raise OSError("the disk is on fire")

VisionModel.predict = predict
sys.exit(server.main())
"""


def test_a_failure_is_a_500_in_the_log_too(colour_bundle: Path, tmp_path: Path) -> None:
    with running_server(
        tmp_path / "log", "--models", str(colour_bundle), "--drain-delay-seconds", "5", program=("-c", BREAKING)
    ) as server:
        answer = httpx.post(f"{server.url}{PREDICT}", content=RED, trust_env=False)
        assert_refused(answer, 500, "OSError")
        wait_until(lambda: access_lines(server))
        (line,) = access_lines(server)
        assert (line["status"], line["bytes"]) == (500, len(answer.content))
        wait_until(lambda: "the disk is on fire" in server.log.read_text())
        server.process.terminate()
        wait_until(lambda: "draining" in server.log.read_text())
        last = httpx.post(f"{server.url}{PREDICT}", content=RED, trust_env=False)
        assert_refused(last, 500, "OSError")
        assert last.headers["connection"] == "close"
