"""How little time requests have of late."""

import math

PAUSE_SECONDS = 1.0


class Hurry:
    """The least time that one of the last requests had; it is forgotten when none in such a hurry came for a while."""

    def __init__(self) -> None:
        self._seconds = math.inf
        self._met_at = -math.inf

    def meet(self, seconds: float, now: float) -> None:
        """Take a request into account, which is to be answered within so many seconds."""
        if seconds <= self._seconds or now > self._met_at + PAUSE_SECONDS:
            self._seconds, self._met_at = seconds, now

    def least(self, now: float) -> float:
        """Return the seconds that the most hurried of the last requests had, or that nobody is in a hurry."""
        return self._seconds if now <= self._met_at + PAUSE_SECONDS else math.inf
