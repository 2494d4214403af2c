"""What is refused before an app hears of it."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from streams import CHUNKED, SECOND, App, Sink, until

from http_connection.connection import Connection

REFUSED = {
    "version": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", b"505", b"HTTP/2.0; send HTTP/1.1"),
    "preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505", b"it is HTTP/2; send HTTP/1.1"),
    "tls": (b"\x16\x03\x01\x02\0\x01\0\r\n\r\n", b"400", b"not https://"),
    "method": (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", b"400", b"send GET or POST"),
    "another version": (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", b"505", b"send HTTP/1.1"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", b"400", b"0 Host"),
    "two hosts": (b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", b"400", b"2 Host"),
    "coding": (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", b"501", b"send chunked"),
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
    "coding beyond ASCII": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \xffchunked\r\n\r\n",
        b"501",
        b"Transfer-Encoding",
    ),
    "coding that is not": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"501",
        b"send chunked",
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
    "part of an address that is never sent": (b"GET /a#b?c HTTP/1.1\r\nHost: a\r\n\r\n", b"400", b"send %23"),
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


async def test_lines_before_a_head_have_an_end(connection: Connection, app: App, sink: Sink) -> None:
    connection.data_received(b"\r\n" * 32_000 + SECOND)
    await until(lambda: b"thanks" in sink.written)
    connection.data_received(b"\r\n" * 33_000)
    await until(lambda: sink.closed)
    assert sink.written.count(b"HTTP/1.1 431") == 1
    assert app.bodies == [("/second", b"hello")]


async def test_a_refusal_behind_an_error_of_the_app_says_nothing_of_it(connection: Connection, sink: Sink) -> None:
    """The next request is read while the app answers its own error, which Python then takes for the cause."""

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            dict[str, str]()["the key is under the mat"]
        except KeyError:
            await PlainTextResponse("failed", 500)(scope, receive, send)

    connection.app = fail
    connection.data_received(SECOND + b"GET /x HTTP/2.0\r\nHost: a\r\n\r\n" + SECOND)
    await until(lambda: sink.closed)
    assert sink.written.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 505" in sink.written
    assert b"mat" not in sink.written


async def test_an_answer_that_is_cut_off_by_a_refusal_ends_there(connection: Connection, sink: Sink) -> None:
    """An app that answers before it has the body may go on writing."""
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a part", "more_body": True})
        begun.set()
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"another", "more_body": True})
        ended.set()

    connection.app = stream
    connection.data_received(CHUNKED + b"1\r\nx\r\n")
    await begun.wait()
    connection.data_received(b"zz\r\n")
    await until(lambda: sink.closed)
    go_on.set()
    await ended.wait()
    await asyncio.sleep(0)
    assert b"a part" in sink.written
    assert b"another" not in sink.written
