"""Bodies in chunks: what is in them, between them and behind them."""

import pytest
from starlette.types import Receive, Scope, Send
from streams import CHUNKED, SECOND, UPGRADE, App, Sink, feed, until

from http_connection.connection import Connection


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
