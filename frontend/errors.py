"""What the frontend answers itself instead of a model."""

from typing import Any

from starlette.responses import JSONResponse

RETRY_SECONDS = 2


class StartError(Exception):
    """The frontend can't start; the message says what would do."""


class Refusal(Exception):
    """A request that gets ``{"error": message}``, and ``Retry-After`` where another try is worth it."""

    def __init__(self, status: int, message: str, *, allow: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.allow = allow

    def response(self) -> JSONResponse:
        """Return it as the answer."""
        headers: dict[str, Any] = {}
        if self.status in (502, 503, 504):
            headers["Retry-After"] = str(RETRY_SECONDS)
        if self.allow:
            headers["Allow"] = self.allow
        return JSONResponse({"error": self.message}, self.status, headers)
