"""How much longer than foreseen an answer may take, so that nearly all that are admitted come in time.

What is foreseen is the engine's work, but not decoding, waiting for a core, or a machine that stands still.
"""

import math

LATE_SHARE = 0.005
"""How many may come late of those that were foreseen with little time left."""
STEP = 0.1
MOST = 4.0
PAUSE_SECONDS = 1.0


class Slack:
    """A factor that grows by a step when an answer comes late, and shrinks a little with each that comes in time.

    It is at rest where both are equal: where ``LATE_SHARE`` comes late. Answers that were foreseen with more than half
    of their time left say nothing of it.
    """

    def __init__(self) -> None:
        self._factor = 1.0
        self._grown_at = self._learned_at = -math.inf

    def stretch(self, seconds: float) -> float:
        """Return how long what is foreseen to take so many seconds may take."""
        return self._factor * seconds

    def learn(self, foreseen: float, admitted_at: float, answered_at: float, deadline: float) -> None:
        """Take an answer into account that was foreseen to take so many seconds; the times are one clock's.

        What comes late together counts once: it was all admitted before anything was known of it.
        """
        if 2 * self.stretch(foreseen) < deadline - admitted_at:
            return
        self._learned_at = answered_at
        if answered_at <= deadline:
            self._factor = max(1.0, self._factor - STEP * LATE_SHARE / (1 - LATE_SHARE))
        elif admitted_at >= self._grown_at:
            self._factor = min(MOST, self._factor + STEP)
            self._grown_at = answered_at

    def doubt(self, now: float) -> None:
        """Believe less in it, where it alone makes a request be refused, and for a while no answer could correct it."""
        if now > self._learned_at + PAUSE_SECONDS:
            self._factor = max(1.0, 0.99 * self._factor)
