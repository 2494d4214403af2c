"""What a connection refuses before its app hears of it."""

import httptools


class BrokenRequestError(Exception):
    """A request that is not read here: it is not HTTP/1.1, or takes liberties with it. ``status`` is the answer's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


_FROM_PARSER = {
    "Invalid method encountered": (
        400,
        "it begins with no known method; send GET or POST, to http:// and not https://",
    ),
    "Invalid HTTP version": (505, "it is of another version of HTTP; send HTTP/1.1"),
    "Pause on PRI/Upgrade": (505, "it is HTTP/2; send HTTP/1.1"),
}
"""What llhttp says of what people do send; of the rest it says enough itself."""


def describe_error(error: httptools.HttpParserError) -> BrokenRequestError:
    """Return what to tell the client where a parser stopped."""
    status, reason = _FROM_PARSER.get(str(error), (400, f"{error}; send it with another client"))
    return BrokenRequestError(status, f"the request is not valid HTTP/1.1: {reason}")
