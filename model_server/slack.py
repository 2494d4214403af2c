"""How much longer than foreseen answers take, nearly all of them.

What is foreseen is the engine's work, but not decoding, waiting for a core, or a machine that stands still for a moment.
"""

DEVIATIONS = 4
"""How many mean deviations above the mean lateness, as RFC 6298 has it for the answers of a network."""


class Slack:
    """An estimate by RFC 6298, section 2: the mean of what is measured and its mean deviation, both smoothed.

    It is of parts of what was foreseen: the seconds by which a long wait was wrong say nothing of a short one.
    """

    def __init__(self) -> None:
        self._mean = self._deviation = 0.0

    def stretch(self, seconds: float) -> float:
        """Return what is taken, at the most, nearly always, where so many seconds are foreseen."""
        return seconds * (1 + max(0.0, self._mean + DEVIATIONS * self._deviation))

    def learn(self, foreseen: float, taken: float) -> None:
        """Take into account how many seconds an answer took; nothing, where nothing was foreseen."""
        if foreseen <= 0:
            return
        late = (taken - foreseen) / foreseen
        self._deviation += (abs(late - self._mean) - self._deviation) / 4
        self._mean += (late - self._mean) / 8

    def doubt(self) -> None:
        """Believe less in it: nobody is let in, so nothing would correct it."""
        self._mean *= 0.9
        self._deviation *= 0.9
