"""A line of JSON for each request that is passed on or refused; probes and the page's own files are left out."""

import json
import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("frontend.access")

CLIENT_CLOSED = 499
"""What nginx logs where the client went away before there was an answer."""
LEFT_OUT = ("/v2/health/", "/page/", "/catalogue")
MAX_PATH_LENGTH = 200


class AccessLog:
    """ASGI middleware. ``seconds`` run from the request's headers to the end of the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, then log it."""
        if scope["type"] != "http" or scope["path"].startswith(LEFT_OUT):
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
            line = {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "method": scope["method"],
                "path": scope["path"][:MAX_PATH_LENGTH],
                "status": status,
                "seconds": round(time.perf_counter() - begin, 6),
                "bytes": size,
                "client": client[0] if client else None,
            }
            logger.info(json.dumps(line))
