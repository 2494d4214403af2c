"""A client's connection: what it may send before its request is one, and how it ends."""

import asyncio
import json
import sys
from typing import Any, cast

import h11
from h11._readers import ContentLengthReader
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_HEAD_BYTES = 64 << 10
"""A request's first line and its headers."""
CRUMBS = 1000
"""So many pieces of a body may be small: each costs what a large one does, and nobody else is served meanwhile."""
LEAST_PIECE_BYTES = 256
"""What the pieces of a body have on average, once there are more."""
LINGER_SECONDS = 2.0
"""How long a client that is told to go may go on sending: were it cut off at once, it would not see the answer."""


def connection_type(head_seconds: float) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol for clients that have ``head_seconds`` to send a request's head."""

    class BoundConnection(Connection):
        pass

    BoundConnection.head_seconds = head_seconds
    return BoundConnection


class Connection(H11Protocol):
    """HTTP/1.1 and nothing else; whoever asks for an upgrade is answered without one.

    It is h11 and not httptools, at 0.1 ms a request, because httptools takes the body of a request that has an Upgrade
    header for another request, and headers without end.
    """

    head_seconds = 30.0
    conn: "_Conversation"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Conversation(h11.SERVER, MAX_HEAD_BYTES)
        self._head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self.transport = _LingeringTransport(self, transport)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        super().connection_lost(exc)
        self._forget_head()

    def data_received(self, data: bytes) -> None:
        """Take what the client sends, unless it was told to go."""
        if self.transport.is_closing():
            return
        if self.conn.pass_over(len(data)):
            self._take_piece(data)
            return
        super().data_received(data)
        self._watch_head()

    def shutdown(self) -> None:
        """Have the answer that is being made say that it is the last: the client is to send nothing more here."""
        self.conn.ends = True
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP. It is called where h11's error is handled, which says more than ``msg``."""
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        self._refuse(status, f"the request is not valid HTTP/1.1: {error or msg}; send it with another client")

    def _should_upgrade(self) -> bool:
        return False

    def _take_piece(self, data: bytes) -> None:
        """Leave a piece of a body to the app, as uvicorn does with what h11 has cut out, but without a copy."""
        self._unset_keepalive_if_required()
        cycle: Any = self.cycle  # its body is made bytes before the app gets it, and may be that from the begin
        cycle.body = cycle.body + data if cycle.body else data
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def _watch_head(self) -> None:
        """Give the client its time for a head as long as one is incomplete, but not anew with every byte."""
        if self.conn.their_state is not h11.IDLE:
            self._forget_head()
        elif self._head_deadline is None:
            self._head_deadline = self.loop.call_later(self.head_seconds, self._end_head)

    def _forget_head(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _end_head(self) -> None:
        begun, _ = self.conn.trailing_data
        if not begun:
            self.transport.close()
        elif not self.transport.is_closing():
            self._refuse(408, f"the request's headers did not arrive within {self.head_seconds:g} seconds")

    def _refuse(self, status: int, message: str) -> None:
        """Answer in the app's place, if nobody has begun to, and hang up."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            if self.cycle is not None:
                self.cycle.disconnected = True  # or it would answer too
                self.cycle.message_event.set()
            body = json.dumps({"error": message}).encode()
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            answer = (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage())
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in answer))
        self.transport.close()


class _Conversation(h11.Connection):
    """h11's, less patient."""

    def __init__(self, role: type[h11.SERVER], max_head_bytes: int) -> None:
        super().__init__(role, max_head_bytes)
        self.ends = False
        self._pieces = self._body_bytes = 0

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Data) and not self._count_piece(len(event.data)):
            raise h11.RemoteProtocolError(f"its body comes in pieces of less than {LEAST_PIECE_BYTES} bytes")
        if isinstance(event, h11.Request):
            self._pieces = self._body_bytes = 0
            names = {name for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= names:  # two proxies may read it as two requests
                raise h11.RemoteProtocolError("it has a Content-Length and a Transfer-Encoding")
            if sum(len(name) + len(value) + 4 for name, value in event.headers) + len(event.target) > MAX_HEAD_BYTES:
                raise h11.RemoteProtocolError(f"its head has more than {MAX_HEAD_BYTES} bytes", error_status_hint=431)
        return event

    def pass_over(self, length: int) -> bool:
        """Tell whether what has come is a piece in the midst of a body, and if so count it as read.

        Nothing in it means anything to h11, which would copy it three times, and uvicorn twice.
        """
        reader = self._reader
        if not isinstance(reader, ContentLengthReader) or length >= reader._remaining:
            return False
        if not self._count_piece(length):  # h11's way ends in a refusal
            return False
        reader._remaining -= length
        return True

    def _count_piece(self, length: int) -> bool:
        """Count a piece of a body, unless it is one too many for how small they are."""
        pieces, size = self._pieces + 1, self._body_bytes + length
        if pieces > CRUMBS and size < pieces * LEAST_PIECE_BYTES:
            return False
        self._pieces, self._body_bytes = pieces, size
        return True

    def send(self, event: Any) -> Any:
        """Close the connection behind an answer that is its last, or came before the end of the request."""
        if isinstance(event, h11.Response) and (self.ends or self.their_state is h11.SEND_BODY):
            headers = [pair for pair in event.headers.raw_items() if pair[0].lower() != b"connection"]
            event = h11.Response(
                status_code=event.status_code, headers=[*headers, (b"connection", b"close")], reason=event.reason
            )
        return super().send(event)


class _LingeringTransport(asyncio.Transport):
    """A transport that a client which is still sending sees closed, rather than reset: it gets to read its answer.

    What is written in one turn of the event loop is sent at once: uvicorn writes a head and a body one after the other,
    and each would be a system call, a packet and a wake-up of the client.
    """

    def __init__(self, connection: Connection, transport: asyncio.Transport) -> None:
        super().__init__()
        self._connection = connection
        self._transport = transport
        self._lingers = False
        self._written: list[bytes] = []

    def write(self, data: Any) -> None:
        if not self._written:
            self._connection.loop.call_soon(self._flush)
        self._written.append(data)

    def _flush(self) -> None:
        if self._written and not self._transport.is_closing():
            self._transport.write(b"".join(self._written))
        self._written = []

    def is_closing(self) -> bool:
        return self._lingers or self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def close(self) -> None:
        if self.is_closing():
            return
        self._flush()
        if self._connection.conn.their_state not in (h11.SEND_BODY, h11.ERROR):
            self._transport.close()
            return
        self._lingers = True
        self._connection.flow.resume_reading()
        self._transport.write_eof()
        self._connection.loop.call_later(LINGER_SECONDS, cast(Any, self._transport).close)
