"""What a connection refuses before its app hears of it."""


class BrokenRequestError(Exception):
    """A request that is not read here: it is not HTTP/1.1, or takes liberties with it. ``status`` is the answer's."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
