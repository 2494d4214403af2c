"""How the pieces in which a request comes reach the app: as they were sent, however they were cut."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from typing import Any

import h11
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from http_connection.connection import CRUMBS, LEAST_PIECE_BYTES, Connection, connection_type

BODY = random.Random(0).randbytes(700_000)
HEAD = b"POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
SECOND = b"POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
SIZES = {
    "at once": [10**9],
    "as a socket is read": [256_000] * 9,
    "pages": [4096] * 999,
    "few bytes": [LEAST_PIECE_BYTES + 1] * 9999,
    "crumbs among them": [1, 70_000, LEAST_PIECE_BYTES - 1, 3, 4, 200_000, LEAST_PIECE_BYTES] * 9,
}


class Sink(asyncio.Transport):
    """A transport that keeps what is written, and whether it is to read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reads = True
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def write_eof(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


class App:
    """Keeps what it gets, once it may."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.pieces: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.may_read.wait()
        pieces = [piece async for piece in Request(scope, receive).stream()]
        self.pieces += pieces
        self.bodies.append((scope["path"], b"".join(pieces)))
        await PlainTextResponse("thanks")(scope, receive, send)


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def sink() -> Sink:
    return Sink()


@pytest.fixture
async def connection(app: App, sink: Sink) -> AsyncIterator[Connection]:
    config = uvicorn.Config(app, ws="none", log_config=None, lifespan="off")
    config.load()
    made: Any = connection_type(30.0)(config=config, server_state=ServerState(), app_state={})  # type: ignore[call-arg]
    made.connection_made(sink)
    yield made
    made.connection_lost(None)


def cut(data: bytes, sizes: Iterable[int]) -> Iterable[bytes]:
    for size in sizes:
        piece, data = data[:size], data[size:]
        if piece:
            yield piece
    if data:
        yield data


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def feed(connection: Connection, sink: Sink, data: bytes, sizes: Iterable[int]) -> None:
    """Send as a transport does: nothing while it is not to read."""
    for piece in cut(data, sizes):
        await until(lambda: sink.reads)
        connection.data_received(piece)
        await asyncio.sleep(0)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
async def test_a_body_arrives_as_it_was_sent(connection: Connection, app: App, sink: Sink, sizes: list[int]) -> None:
    connection.data_received(HEAD % len(BODY))
    await feed(connection, sink, BODY, sizes)
    await feed(connection, sink, SECOND, [999])
    await until(lambda: sink.written.count(b"thanks") == 2)
    assert app.bodies == [("/first", BODY), ("/second", b"hello")]


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
async def test_a_whole_exchange_in_pieces(connection: Connection, app: App, sink: Sink, sizes: list[int]) -> None:
    """Heads, bodies and the next request are cut anywhere."""
    await feed(connection, sink, HEAD % len(BODY) + BODY + SECOND + HEAD % len(BODY) + BODY, sizes)
    await until(lambda: sink.written.count(b"thanks") == 3)
    assert app.bodies == [("/first", BODY), ("/second", b"hello"), ("/first", BODY)]


async def test_an_app_that_does_not_read_has_the_client_wait(connection: Connection, app: App, sink: Sink) -> None:
    app.may_read.clear()
    connection.data_received(HEAD % len(BODY))
    connection.data_received(BODY[: 64 << 10])
    assert sink.reads
    connection.data_received(BODY[64 << 10 : 65 << 10])
    assert not sink.reads
    app.may_read.set()
    await until(lambda: sink.reads)  # though nothing more has come
    connection.data_received(BODY[65 << 10 :])
    await until(lambda: b"thanks" in sink.written)
    assert app.bodies == [("/first", BODY)]


async def test_the_last_answer_of_a_server_that_ends_says_so(connection: Connection, app: App, sink: Sink) -> None:
    """A client that keeps its connections would send its next request into a closed one."""
    connection.data_received(SECOND)
    await until(lambda: b"thanks" in sink.written)
    assert b"connection: close" not in sink.written
    app.may_read.clear()
    connection.data_received(SECOND)
    connection.shutdown()
    app.may_read.set()
    await until(lambda: sink.written.count(b"thanks") == 2)
    assert sink.written.count(b"connection: close") == 1
    await until(lambda: sink.closed)


async def test_what_is_no_body_is_not_passed_over(connection: Connection, app: App, sink: Sink) -> None:
    """In chunks, and behind the end of a body, each byte means something."""
    chunk = b"%x\r\n%s\r\n" % (len(BODY), BODY)
    connection.data_received(b"POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    await feed(connection, sink, chunk + b"0\r\n\r\n", [4096] * 999)
    await until(lambda: b"thanks" in sink.written)
    assert app.bodies == [("/first", BODY)]
    connection.data_received(b"x" * 300 + b"\r\n\r\n")
    await until(lambda: sink.closed)
    assert b"HTTP/1.1 400" in sink.written


async def test_a_body_behind_an_early_answer_is_not_kept(connection: Connection, sink: Sink) -> None:
    """An app that answers before the end of a body hears no more of it."""

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("no", 413)(scope, receive, send)

    connection.app = refuse
    connection.data_received(HEAD % len(BODY))
    await until(lambda: b"413" in sink.written)
    assert connection.conn.their_state is h11.SEND_BODY
    connection.data_received(BODY[:300_000])
    assert not connection.cycle.body


async def test_a_piece_is_the_apps_without_a_copy(connection: Connection, app: App, sink: Sink) -> None:
    piece = BODY[:200_000]
    connection.data_received(HEAD % len(BODY))
    connection.data_received(piece)
    await feed(connection, sink, BODY[200_000:], [])
    await until(lambda: b"thanks" in sink.written)
    assert any(each is piece for each in app.pieces)


@pytest.mark.parametrize(
    ("sizes", "taken"),
    [
        ([1] * 2 * CRUMBS, CRUMBS),
        ([1] * CRUMBS + [LEAST_PIECE_BYTES] * CRUMBS, CRUMBS),
        ([LEAST_PIECE_BYTES] * CRUMBS + [1] * CRUMBS, CRUMBS),
        ([LEAST_PIECE_BYTES + 1] * CRUMBS + [1] * CRUMBS, CRUMBS + 3),
    ],
    ids=["crumbs", "crumbs before pieces", "crumbs behind pieces", "crumbs behind larger pieces"],
)
async def test_so_many_pieces_may_be_crumbs(connection: Connection, sink: Sink, sizes: list[int], taken: int) -> None:
    connection.data_received(HEAD % len(BODY))
    pieces = list(cut(BODY, sizes))
    await feed(connection, sink, b"".join(pieces[:taken]), sizes[:taken])
    assert not sink.written
    connection.data_received(pieces[taken])
    await until(lambda: b"HTTP/1.1 400" in sink.written)
    assert b"pieces of less than 256 bytes" in sink.written
