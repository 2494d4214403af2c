"""A line of JSON for each request, probes left out."""

import logging
import time

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("model_server.access")

CLIENT_CLOSED = 499
"""What nginx logs where the client went away before there was an answer."""
MAX_PATH_LENGTH = 200


class AccessLog:
    """ASGI middleware. ``seconds`` run from the request's headers to the end of the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, then log it."""
        if scope["type"] != "http" or scope["path"].startswith("/v2/health/") or scope["path"].endswith("/ready"):
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
            log_request(
                scope["method"],
                scope["path"],
                status,
                seconds=time.perf_counter() - begin,
                size=size,
                client=client[0] if client else None,
            )


def log_request(method: str, path: str, status: int | str, *, seconds: float, size: int, client: str | None) -> None:
    """Log a request; ``size`` is its answer's, in bytes."""
    line = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "method": method,
        "path": _shorten(path),
        "status": status,
        "seconds": round(seconds, 6),
        "bytes": size,
        "client": client,
    }
    logger.info(orjson.dumps(line).decode())


def _shorten(path: str) -> str:
    return path if len(path) <= MAX_PATH_LENGTH else f"{path[: MAX_PATH_LENGTH - 3]}..."
