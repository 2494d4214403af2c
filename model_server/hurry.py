"""How little time requests have of late."""

import math

HALF_SECONDS = 0.5


class Hurry:
    """The least time that one of the last requests had: of the last second, or of the last half."""

    def __init__(self) -> None:
        self._half = 0
        self._least = self._before = math.inf

    def meet(self, seconds: float, now: float) -> None:
        """Take a request into account, which is to be answered within so many seconds."""
        self._go_on(now)
        self._least = min(self._least, seconds)

    def least(self, now: float) -> float:
        """Return the seconds that the most hurried of them had; infinity where there was none."""
        self._go_on(now)
        return min(self._least, self._before)

    def _go_on(self, now: float) -> None:
        half = math.floor(now / HALF_SECONDS)
        if half != self._half:
            self._before = self._least if half == self._half + 1 else math.inf
            self._half, self._least = half, math.inf
