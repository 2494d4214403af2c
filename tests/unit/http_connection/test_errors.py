"""What is refused before an app hears of it."""

import pytest
from streams import SECOND, App, Sink, until

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
