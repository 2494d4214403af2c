"""The server's last phase: what its lifecycle tells its routes when it is about to end."""

import asyncio
import contextlib
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model_server.errors import NotReady

DISCARD_SECONDS = 5.0
"""How long a client may go on sending a request that is refused."""


@dataclass
class Phase:
    """``draining``: still answering, no longer ready. ``stopped``: nothing more is accepted."""

    draining: bool = False
    stopped: bool = False

    def check_not_ending(self) -> None:
        """Refuse what would outlast the server.

        Raises:
            NotReady: it is draining.
        """
        if self.draining:
            raise NotReady("the server is stopping; it loads and unloads nothing more")


class DrainGate:
    """ASGI middleware: while draining, every answer closes its connection, so that clients leave by themselves.

    What arrives on a connection that is still open after that gets 503, rather than a reset.
    """

    def __init__(self, app: ASGIApp, phase: Phase) -> None:
        self._app = app
        self._phase = phase

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def close_after(message: Message) -> None:
            if message["type"] == "http.response.start" and self._phase.draining:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if self._phase.stopped:
            await _discard_body(receive)
            error = {"error": "the server is stopping and accepts nothing more; send the request again to another"}
            await JSONResponse(error, 503, {"Retry-After": "1"})(scope, receive, close_after)
            return
        await self._app(scope, receive, close_after)


async def _discard_body(receive: Receive) -> None:
    """Read what is being sent: a client that is still at it when the connection closes sees a reset, not the answer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while (await receive()).get("more_body"):
                pass
