"""A client's connection: how long it may take for a request's head, and for a body that nobody waits for."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


def connection_type(timeout_seconds: float) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol for clients that have so long to send a request's head."""

    class BoundConnection(Connection):
        pass

    BoundConnection.timeout_seconds = timeout_seconds
    return BoundConnection


class Connection(H11Protocol):
    """HTTP/1.1 and nothing else.

    Whoever is answered before the end of its body may go on sending for a while: cut off at once, it would not see the
    answer.
    """

    timeout_seconds = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        super().connection_lost(exc)
        self._forget()

    def data_received(self, data: bytes) -> None:
        """Take what the client sends."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of this one."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._watch()

    def _should_upgrade(self) -> bool:
        return False

    def _watch(self) -> None:
        """Limit the time for a head that has begun and a body that was answered, but not anew with every byte."""
        theirs, ours = self.conn.their_state, self.conn.our_state
        has_begun = self.cycle is None or self.conn.trailing_data[0] != b""  # between two requests uvicorn watches
        if (theirs is h11.IDLE and has_begun) or (theirs is h11.SEND_BODY and ours is h11.DONE):
            if self._deadline is None:
                self._deadline = self.loop.call_later(self.timeout_seconds, self.transport.close)
        else:
            self._forget()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
