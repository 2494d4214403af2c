"""A request's body on its way to a model: its beginning is held, the rest flows."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from frontend.errors import Refusal

HELD_BYTES = 32 << 10
"""What is held before a model hears of the request: whoever sends byte by byte keeps no model waiting, and a short body
can be sent twice."""


class Upload:
    """A body: ``held`` is its beginning, all of it where it is ``short``; ``whole`` tells whether all has arrived.

    Until its ``deadline``, of the event loop's clock, it may arrive.
    """

    def __init__(self, request: Request, max_bytes: int, timeout_seconds: float) -> None:
        self.held = b""
        self.short = False
        self.whole = False
        self.refusal: Exception | None = None
        self._receive = request.receive
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self.deadline = asyncio.get_running_loop().time() + timeout_seconds
        self._arrived = 0
        declared = request.headers.get("content-length", "")
        self.length = int(declared) if declared.isdecimal() else None

    async def begin(self) -> None:
        """Receive what is held.

        Raises:
            Refusal: the body is too large (413), or did not arrive in time (408).
            ClientDisconnect: the client went away.
        """
        if self.length is not None and self.length > self._max_bytes:
            raise self._too_large()
        held = bytearray()
        while len(held) < HELD_BYTES and not self.whole:
            held += await self._next()
        self.held, self.short = bytes(held), self.whole

    async def flow(self) -> AsyncIterator[bytes]:
        """Yield the body, what is held first. ``refusal`` keeps what ended it early: the sender would hide it."""
        yield self.held
        self.held = b""
        try:
            while not self.whole:
                if chunk := await self._next():
                    yield chunk
        except (Refusal, ClientDisconnect) as error:
            self.refusal = error
            raise

    async def gone(self) -> None:
        """Return when the client goes away; only after the whole body has arrived."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout_at(self.deadline):
                message = await self._receive()
        except TimeoutError as error:
            raise Refusal(408, f"the body did not arrive within {self._timeout_seconds:g} seconds") from error
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        self._arrived += len(chunk)
        if self._arrived > self._max_bytes:
            raise self._too_large()
        self.whole = not message.get("more_body", False)
        return chunk

    def _too_large(self) -> Refusal:
        size = f"{self.length} bytes" if self.length is not None else "the body"
        return Refusal(413, f"{size} is more than the {self._max_bytes} bytes that are taken; send a smaller picture")
