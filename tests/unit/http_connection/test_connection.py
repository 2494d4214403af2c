"""How the pieces in which a request comes reach the app: as they were sent, however they were cut."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from typing import Any

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
    assert connection.owes()
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


CHUNKED = b"POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("before", [b"", b"\r\n", b"\r\n\r\n"], ids=["nothing", "a line", "two lines"])
async def test_a_head_in_pieces(connection: Connection, app: App, sink: Sink, size: int, before: bytes) -> None:
    """Its end is found wherever it is cut; lines before it are passed over (RFC 9112, section 2.2)."""
    await feed(connection, sink, before + SECOND + before + SECOND, [size] * 999)
    await until(lambda: sink.written.count(b"thanks") == 2)
    assert app.bodies == [("/second", b"hello")] * 2


@pytest.mark.parametrize("size", [1, 10**9], ids=["in pieces", "at once"])
async def test_a_body_in_chunks(connection: Connection, app: App, sink: Sink, size: int) -> None:
    """What stands behind the chunks is no header any more."""
    scopes = []

    async def keep(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        scopes.append(scope)

    connection.app = keep
    data = CHUNKED + b"5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nExpires: never\r\n\r\n"
    await feed(connection, sink, data, [size] * 999)
    await until(lambda: b"thanks" in sink.written)
    assert app.bodies == [("/first", b"hello world")]
    assert [name for name, _ in scopes[0]["headers"]] == [b"host", b"transfer-encoding"]
    await feed(connection, sink, SECOND, [999])
    await until(lambda: sink.written.count(b"thanks") == 2)
    assert not sink.closed


@pytest.mark.parametrize("behind", [SECOND, b"nonsense"])
@pytest.mark.parametrize("more", [b"", UPGRADE], ids=["plain", "upgrade"])
async def test_what_comes_behind_chunks_at_once_ends_the_connection(
    connection: Connection, app: App, sink: Sink, behind: bytes, more: bytes
) -> None:
    """Where the chunks end the parser does not tell, so that nothing behind them may be taken for a request."""
    head = CHUNKED.replace(b"\r\n", b"\r\n" + more, 1)
    connection.data_received(head + b"5\r\nhello\r\n0\r\n\r\n" + behind)
    await until(lambda: sink.closed)
    assert sink.written.count(b"HTTP/1.1 ") == sink.written.count(b"thanks") == 1
    assert b"connection: close" in sink.written
    assert app.bodies == [("/first", b"hello")]


@pytest.mark.parametrize("length", [b"Content-Length: 5\r\n\r\nhello", b"\r\n"], ids=["a body", "no body"])
async def test_an_upgrade_is_read_as_any_request(connection: Connection, app: App, sink: Sink, length: bytes) -> None:
    connection.data_received(b"POST /first HTTP/1.1\r\nHost: a\r\n" + UPGRADE + length + SECOND)
    await until(lambda: sink.written.count(b"thanks") == 2)
    assert [path for path, _ in app.bodies] == ["/first", "/second"]
    assert not sink.closed


async def test_one_request_is_read_at_a_time(connection: Connection, app: App, sink: Sink) -> None:
    """Those that have come too wait, and more of them are not read."""
    app.may_read.clear()
    connection.data_received(SECOND * 1000)
    assert not sink.reads
    assert not app.bodies
    app.may_read.set()
    await until(lambda: sink.written.count(b"thanks") == 1000)
    assert sink.reads
    assert app.bodies == [("/second", b"hello")] * 1000


async def test_what_is_broken_behind_a_request_does_not_keep_it_from_its_answer(
    connection: Connection, app: App, sink: Sink
) -> None:
    connection.data_received(SECOND + b"nonsense\r\n\r\n")
    await until(lambda: sink.closed)
    assert sink.written.startswith(b"HTTP/1.1 200")
    assert sink.written.count(b"HTTP/1.1 400") == 1
    assert app.bodies == [("/second", b"hello")]


@pytest.mark.parametrize(
    "endless", [b"5;" + b"x" * 70_000, b"0\r\n" + b"A: b\r\n" * 12_000, b"0\r\nA: " + b"b" * 70_000]
)
@pytest.mark.parametrize("size", [1000, 10**9])
async def test_what_is_between_chunks_has_an_end(
    connection: Connection, app: App, sink: Sink, endless: bytes, size: int
) -> None:
    connection.data_received(CHUNKED)
    await feed(connection, sink, endless, [size] * 999)
    await until(lambda: sink.closed)
    assert sink.written.startswith(b"HTTP/1.1 431")
    assert not app.bodies


REFUSED = {
    "version": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", b"505", b"HTTP/2.0"),
    "another version": (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", b"400", b"version"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", b"400", b"0 Host"),
    "two hosts": (b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", b"400", b"2 Host"),
    "coding": (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", b"501", b"must be chunked"),
    "coding in 1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", b"400", b"HTTP/1.0"),
    "lengths": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        b"400",
        b"Content-Length",
    ),
    "length and coding": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"400",
        b"Transfer-Encoding",
    ),
    "coding and length": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        b"400",
        b"Content-Length",
    ),
    "coding that is not": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"501",
        b"must be chunked",
    ),
    "length with a sign": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", b"400", b"Content-Length"),
    "length beyond numbers": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % 2**65,
        b"400",
        b"Content-Length",
    ),
    "url": (b"GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n", b"400", b"invalid url"),
    "url without a path": (b"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", b"400", b"no path"),
    "line feeds alone": (b"GET / HTTP/1.1\nHost: a\n\n", b"400", b"CR"),
    "a fold": (b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", b"400", b"header"),
    "a return in a value": (b"GET / HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n", b"400", b"LF"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_head_that_is_refused(connection: Connection, app: App, sink: Sink, case: str) -> None:
    head, status, words = REFUSED[case]
    connection.data_received(head + SECOND)
    await until(lambda: sink.closed)
    assert sink.written.startswith(b"HTTP/1.1 " + status)
    assert words.lower() in sink.written.partition(b"\r\n\r\n")[2].lower()
    assert sink.written.count(b"connection: close") == 1
    assert not app.bodies
