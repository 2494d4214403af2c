"""A client's connection: what it may send before its request is one, and how it ends."""

import asyncio
import json
from enum import Enum, auto
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from http_connection.chunks import Chunks
from http_connection.errors import BrokenRequestError, describe_error
from http_connection.lingering import LingeringTransport

MAX_HEAD_BYTES = 64 << 10
"""A request's first line and its headers."""
CRUMBS = 1000
"""So many pieces of a body may be small: each costs what a large one does, and nobody else is served meanwhile."""
LEAST_PIECE_BYTES = 256
"""What the pieces of a body have on average, once there are more."""

_HEAD_END = b"\r\n\r\n"


def connection_type(head_seconds: float) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol for clients that have ``head_seconds`` to send a request's head."""

    class BoundConnection(Connection):
        pass

    BoundConnection.head_seconds = head_seconds
    return BoundConnection


class _Part(Enum):
    """What of a request comes next; ``NOTHING`` until it is answered."""

    HEAD = auto()
    BODY = auto()
    CHUNKS = auto()
    NOTHING = auto()


class Connection(HttpToolsProtocol):
    """HTTP/1.1 and nothing else, a request at a time; whoever asks for an upgrade is answered without one.

    httptools reads a head and no more, by a parser of its own for each. Left to itself it would take the body of a
    request that has an Upgrade header for another request, headers without end, and requests before their turn.
    """

    head_seconds = 30.0
    _chunks: Chunks
    _raised: Exception | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_deadline: asyncio.TimerHandle | None = None
        self._ends = self._keeps_alive = self._is_broken = False
        self._behind = b""
        self._await_request()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self.transport = LingeringTransport(transport, self.loop, self.flow, self.owes)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        super().connection_lost(exc)
        self._forget_head()

    def data_received(self, data: bytes) -> None:
        """Take what the client sends, unless it was told to go."""
        self._unset_keepalive_if_required()
        try:
            while data and not self.transport.is_closing():
                data = self._read(data)
        except BrokenRequestError as error:
            self._refuse(error)
        except httptools.HttpParserError as error:
            self._refuse(describe_error(error))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, without the white space behind its value."""
        super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        """Begin with the request, whose body is still to come."""
        try:
            length = self._check_head()
            super().on_headers_complete()
        except Exception as error:
            self._raised = error
            raise
        if self.scope["http_version"] == "1.0":
            self.cycle.waiting_for_100_continue = False  # it would be taken for the answer
        self._forget_head()
        self._keeps_alive = self.cycle.keep_alive
        self.cycle.keep_alive = False  # an answer before the end of the body is the last
        if length is None:
            self._part, self._chunks = _Part.CHUNKS, Chunks(self._take_piece)
        elif length:
            self._part, self._left = _Part.BODY, length
        else:
            self._end_request()

    def on_message_complete(self) -> None:
        """Leave it to the body's own length."""

    def on_response_complete(self) -> None:
        """Go on with the next request, which may be there already."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._await_request()
            behind, self._behind = self._behind, b""
            if behind:
                self.data_received(behind)

    def shutdown(self) -> None:
        """Have the answer that is being made say that it is the last: the client is to send nothing more here."""
        self._ends = True
        super().shutdown()

    def owes(self) -> bool:
        """Tell whether the client may still be sending what nobody reads."""
        return self._is_broken or bool(self._behind) or self._part in (_Part.BODY, _Part.CHUNKS)

    def _should_upgrade(self) -> bool:
        return False

    def _await_request(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self._part = _Part.HEAD
        self._head_bytes = self._left = self._pieces = self._body_bytes = 0
        self._tail = b""
        self._raised = None

    def _read(self, data: bytes) -> bytes:
        """Read a part of a request; return what is behind it."""
        if self._part is _Part.HEAD:
            return self._read_head(data)
        if self._part is _Part.BODY:
            piece = data[: self._left]
            self._left -= len(piece)
            self._take_piece(piece)
            if not self._left:
                self._end_request()
            return data[len(piece) :]
        if self._part is _Part.CHUNKS:
            self._read_chunks(data)
        elif not self._is_broken:
            self._behind += data
            self.flow.pause_reading()
        return b""

    def _read_head(self, data: bytes) -> bytes:
        """Read up to the end of the head: what is behind it the parser would copy, or take for another request."""
        begun = data if self._tail else data.lstrip(b"\r\n")  # line ends before a head mean nothing
        head = begun[: _find_end(self._tail, begun)]
        behind = begun[len(head) :]
        self._head_bytes += len(data) - len(behind)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise BrokenRequestError(
                431, f"the head has more than {MAX_HEAD_BYTES} bytes; send a shorter path or fewer headers"
            )
        self._feed(head)
        if self._part is _Part.HEAD:
            self._tail = (self._tail + head)[1 - len(_HEAD_END) :]
            self._watch_head()
        return behind

    def _read_chunks(self, data: bytes) -> None:
        is_followed = self._chunks.read(data)
        if self._chunks.is_whole:
            self._end_request()
        if is_followed:  # nothing behind it is read, so the answer is the last
            self._is_broken = True
            self.cycle.keep_alive = False

    def _feed(self, head: bytes) -> None:
        try:
            self.parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            pass  # it is not had
        except httptools.HttpParserError:
            if self._raised is None:
                raise
            raise self._raised from None  # the parser's context may be another: the app's, while it answers an error

    def _check_head(self) -> int | None:
        """Return the length of the body, None where it comes in chunks; the parser has seen that it is a number."""
        version, names = self.parser.get_http_version(), [name for name, _ in self.headers]
        if version not in ("1.0", "1.1"):
            raise BrokenRequestError(505, f"the request is HTTP/{version}; send HTTP/1.1")
        if names.count(b"host") != 1 and (version == "1.1" or b"host" in names):
            raise BrokenRequestError(400, f"the request has {names.count(b'host')} Host headers; send one")
        if b"#" in self.url:  # what is behind it would be cut off, and a proxy may look at the end
            raise BrokenRequestError(400, "the address has a '#'; send %23")
        if not self.url.startswith(b"/") and httptools.parse_url(self.url).path is None:
            raise BrokenRequestError(
                400, f"the address {self.url[:50].decode('latin-1')!r} has no path; send one, / at least"
            )
        if b"transfer-encoding" not in names:
            return int(next((value for name, value in self.headers if name == b"content-length"), b"0"))
        if version == "1.0":  # a proxy may read it as two requests
            raise BrokenRequestError(400, "the request has a Transfer-Encoding, which HTTP/1.0 has not; send HTTP/1.1")
        codings = b", ".join(value for name, value in self.headers if name == b"transfer-encoding")
        if codings.lower() != b"chunked":
            raise BrokenRequestError(
                501, f"Transfer-Encoding: {codings[:50].decode('latin-1')} is not read here; send chunked"
            )
        return None

    def _take_piece(self, piece: bytes) -> None:
        """Leave a piece of a body to the app, without a copy of the first."""
        pieces, size = self._pieces + 1, self._body_bytes + len(piece)
        if pieces > CRUMBS and size < pieces * LEAST_PIECE_BYTES:
            raise BrokenRequestError(
                400, f"the body comes in pieces of less than {LEAST_PIECE_BYTES} bytes on average; send larger ones"
            )
        self._pieces, self._body_bytes = pieces, size
        cycle: Any = self.cycle  # its body is made bytes before the app gets it, and may be that from the begin
        cycle.body = cycle.body + piece if cycle.body else piece
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def _end_request(self) -> None:
        self._part = _Part.NOTHING
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keeps_alive and not self._ends
        self.cycle.more_body = False
        self.cycle.message_event.set()

    def _watch_head(self) -> None:
        """Give the client its time for a head as long as one is incomplete, but not anew with every byte."""
        if self._head_deadline is None:
            self._head_deadline = self.loop.call_later(self.head_seconds, self._end_head)

    def _forget_head(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _end_head(self) -> None:
        if not self._tail:
            self.transport.close()
        elif not self.transport.is_closing():
            said = f"the request's headers did not arrive within {self.head_seconds:g} seconds; send them faster"
            self._refuse(BrokenRequestError(408, said))

    def _refuse(self, error: BrokenRequestError) -> None:
        """Answer in the app's place, if nobody has begun to, and hang up."""
        self._is_broken = True
        if self._part is not _Part.HEAD:
            self.cycle.disconnected = True  # or it would answer too
            self.cycle.message_event.set()
        if self._part is _Part.HEAD or not self.cycle.response_started:
            body = json.dumps({"error": str(error)}).encode()
            head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[error.status] + head.encode() + body)
        self.transport.close()


def _find_end(tail: bytes, data: bytes) -> int:
    """Return where the head ends in ``data``, which came behind ``tail``; where it does not, the length of it."""
    at = (tail + data[: len(_HEAD_END) - 1]).find(_HEAD_END) - len(tail)
    if at < -len(tail):
        at = data.find(_HEAD_END)
        if at < 0:
            return len(data)
    return at + len(_HEAD_END)
