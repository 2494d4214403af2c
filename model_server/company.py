"""Whether a request is usually alone."""

SOLITUDE = 0.5
"""Which part of the last requests finds others there, at most, where one is usually alone."""
PAUSE_SECONDS = 1.0


class Company:
    """An average of whether images of others are there when a request comes; a pause with nobody ends it.

    How many they are does not count: after a crowd, the one who stays would be taken for one of many for dozens of
    requests more.
    """

    def __init__(self) -> None:
        self._others = self._left_at = 0.0

    @property
    def is_rare(self) -> bool:
        """Whether requests are usually alone."""
        return self._others <= SOLITUDE

    def meet(self, others: int, now: float) -> None:
        """Take a request into account, which finds so many images of others."""
        if not others and now > self._left_at + PAUSE_SECONDS:
            self._others = 0.0
        self._others += (bool(others) - self._others) / 8

    def leave(self, now: float) -> None:
        """Say that a request ends."""
        self._left_at = now
