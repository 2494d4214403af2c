"""How the pieces in which requests come reach the app: as they were sent, however they were cut."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from streams import BODY, CHUNKED, HEAD, SECOND, UPGRADE, App, Sink, cut, feed, until

from http_connection.connection import CRUMBS, LEAST_PIECE_BYTES, Connection

SIZES = {
    "at once": [10**9],
    "as a socket is read": [256_000] * 9,
    "pages": [4096] * 999,
    "few bytes": [LEAST_PIECE_BYTES + 1] * 9999,
    "crumbs among them": [1, 70_000, LEAST_PIECE_BYTES - 1, 3, 4, 200_000, LEAST_PIECE_BYTES] * 9,
}


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


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("before", [b"", b"\r\n", b"\r\n\r\n"], ids=["nothing", "a line", "two lines"])
async def test_a_head_in_pieces(connection: Connection, app: App, sink: Sink, size: int, before: bytes) -> None:
    """Its end is found wherever it is cut; lines before it are passed over (RFC 9112, section 2.2)."""
    await feed(connection, sink, before + SECOND + before + SECOND, [size] * 999)
    await until(lambda: sink.written.count(b"thanks") == 2)
    assert app.bodies == [("/second", b"hello")] * 2


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


async def test_white_space_behind_a_value_is_not_part_of_it(connection: Connection, app: App, sink: Sink) -> None:
    connection.data_received(CHUNKED.replace(b"chunked", b"chunked ") + b"5\r\nhello\r\n0\r\n\r\n")
    await until(lambda: b"thanks" in sink.written)
    connection.data_received(b"POST /second HTTP/1.1\r\nHost: a\r\nExpect: 100-continue \r\nContent-Length: 5 \r\n\r\n")
    await until(lambda: b"100 Continue" in sink.written)
    connection.data_received(b"hello")
    await until(lambda: sink.written.count(b"thanks") == 2)
    assert app.bodies == [("/first", b"hello"), ("/second", b"hello")]


async def test_who_speaks_http_1_0_is_not_told_to_continue(connection: Connection, app: App, sink: Sink) -> None:
    connection.data_received(b"POST /first HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
    await until(lambda: sink.closed)
    assert app.bodies == [("/first", b"hello")]
    assert b"100 Continue" not in sink.written


@pytest.mark.parametrize("sent", [b"", b"\r\n"], ids=["nothing", "a line end"])
async def test_who_begins_no_request_is_left_without_a_word(connection: Connection, sink: Sink, sent: bytes) -> None:
    """An answer to nothing would be taken for that to the next request."""
    connection.data_received(sent)
    connection._end_head()
    assert sink.closed
    await asyncio.sleep(0)
    assert not sink.written


async def test_who_sent_more_than_is_answered_gets_to_read_the_answer(
    connection: Connection, app: App, sink: Sink
) -> None:
    """With bytes unread, a close would be a reset."""
    connection.data_received(SECOND.replace(b"Host: a", b"Host: a\r\nConnection: close") + b"more")
    await until(lambda: sink.closed)
    assert sink.half_closed
    assert b"thanks" in sink.written
