"""What is logged of each request, by both servers."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLIENT_CLOSED = 499
"""What nginx logs where the client went away before there was an answer."""
MAX_PATH_LENGTH = 200


class LogRequest(Protocol):
    """Writes a line; the arguments are those of ``describe_request``."""

    def __call__(
        self, method: str, path: str, status: int | str, *, seconds: float, size: int, client: str | None
    ) -> None:
        """Write it."""


class AccessLog:
    """ASGI middleware. ``seconds`` run from the request's headers to the end of the answer."""

    def __init__(self, app: ASGIApp, log_request: LogRequest, is_left_out: Callable[[str], bool]) -> None:
        self._app = app
        self._log_request = log_request
        self._is_left_out = is_left_out

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, then log it, unless its path is left out."""
        if scope["type"] != "http" or self._is_left_out(scope["path"]):
            await self._app(scope, receive, send)
            return
        begin, status, size = time.perf_counter(), CLIENT_CLOSED, 0

        async def watch(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            client = scope.get("client")
            self._log_request(
                scope["method"],
                scope["path"],
                status,
                seconds=time.perf_counter() - begin,
                size=size,
                client=client[0] if client else None,
            )


def describe_request(
    method: str, path: str, status: int | str, *, seconds: float, size: int, client: str | None
) -> dict[str, Any]:
    """Return what is logged of a request, as JSON values; ``size`` is its answer's, in bytes."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "method": method,
        "path": path if len(path) <= MAX_PATH_LENGTH else f"{path[: MAX_PATH_LENGTH - 3]}...",
        "status": status,
        "seconds": round(seconds, 6),
        "bytes": size,
        "client": client,
    }
