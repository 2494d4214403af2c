"""What the gate in front of the routes does while the server ends, over uvicorn's own connections."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from servers import wait_until
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from model_server.drain import DrainGate, Phase

LARGE_BYTES = 16 << 20
"""More than sockets buffer."""


@pytest.fixture
def phase() -> Phase:
    return Phase()


@pytest.fixture
def url(phase: Phase) -> Iterator[str]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("served")(scope, receive, send)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(DrainGate(app, phase), lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listener]),))
        thread.start()
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_nothing_changes_before_the_signal(url: str) -> None:
    answer = httpx.get(url)
    assert answer.text == "served"
    assert "connection" not in answer.headers


def test_while_draining_an_answer_closes_its_connection(url: str, phase: Phase) -> None:
    phase.draining = True
    answer = httpx.get(url)
    assert answer.text == "served"
    assert answer.headers["connection"] == "close"


def test_what_comes_too_late_is_read_before_it_is_refused(url: str, phase: Phase) -> None:
    phase.draining = phase.stopped = True
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LARGE_BYTES}\r\n\r\n".encode())
        connection.sendall(bytes(LARGE_BYTES))  # fails where the server hangs up on a client that still writes
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    status, *headers = head.decode().lower().split("\r\n")
    assert "503" in status
    assert {"retry-after: 1", "connection: close"} <= set(headers)
    assert "send the request again" in json.loads(body)["error"]
