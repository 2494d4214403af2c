"""How a connection ends: so that the client gets to read its last answer."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.flow_control import FlowControl

LINGER_SECONDS = 2.0
"""How long a client that is told to go may go on sending: were it cut off at once, it would not see the answer."""


class LingeringTransport(asyncio.Transport):
    """A transport that a client which is still sending sees closed, rather than reset: it gets to read its answer.

    What is written in one turn of the event loop is sent at once: uvicorn writes a head and a body one after the other,
    and each would be a system call, a packet and a wake-up of the client.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        flow: FlowControl,
        owes: Callable[[], bool],
    ) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._flow = flow
        self._owes = owes
        self._lingers = False
        self._written: list[bytes] = []

    def write(self, data: Any) -> None:
        """Send it, with what else is written in this turn."""
        if not self._written:
            self._loop.call_soon(self._flush)
        self._written.append(data)

    def _flush(self) -> None:
        written, self._written = b"".join(self._written), []
        if written and not self.is_closing():
            self._transport.write(written)

    def is_closing(self) -> bool:
        """Tell whether the client was told to go."""
        return self._lingers or self._transport.is_closing()

    def pause_reading(self) -> None:
        """As the transport does."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """As the transport does."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As the transport does."""
        return self._transport.get_extra_info(name, default)

    def close(self) -> None:
        """Send what is written, then hang up; where the client may still be sending, when it has had time to read."""
        if self.is_closing():
            return
        self._flush()
        if not self._owes():
            self._transport.close()
            return
        self._lingers = True
        self._flow.resume_reading()
        self._transport.write_eof()
        self._loop.call_later(LINGER_SECONDS, cast(Any, self._transport).close)
