"""How long batches of each size take: what is expected of them, and what is learned from those that ran."""

import math
from collections.abc import Iterable

ENOUGH = 0.01
"""How much more than in the best batch an image may take in one that is large enough."""
SACRIFICE = 0.25
"""How much more it may take so that who comes next, in a hurry, need not wait for a large batch."""


class BatchTimes:
    """Seconds for batches of up to ``max_batch`` images; none are expected to take any time until somebody says.

    What is learned is one factor: when neighbours take the cores, batches of every size take longer, those too that
    are not run now.
    """

    def __init__(self, max_batch: int) -> None:
        self.max_batch = max_batch
        self._seconds = [0.0] * (max_batch + 1)
        self._factor = self._fastest = 1.0

    def expect(self, seconds: list[float]) -> None:
        """Say how long batches of 0, 1, … ``max_batch`` images take; what is measured from then on corrects it."""
        self._seconds = list(seconds)
        self._factor = self._fastest = 1.0

    def expect_between(self, one: float, full: float) -> None:
        """Say how long one image takes and a full batch; those between lie on a line."""
        steps = max(1, self.max_batch - 1)
        self.expect([0.0, *(one + (full - one) * (size - 1) / steps for size in range(1, self.max_batch + 1))])

    def estimate(self, size: int) -> float:
        """Return the seconds for a batch of so many images."""
        return self._factor * self._seconds[size]

    def plan(self, seconds: float, others: float) -> int:
        """Return how many images to run together where each is to be answered within ``seconds``, if so many wait.

        A batch takes at most half of that, and half of what ``others`` have, so that those that come next have time
        too, unless it would cost more than ``SACRIFICE`` to run so few; and it is no larger than it takes to have
        nearly all that batches win, for whoever comes next waits for all of it.
        """
        if not self.estimate(1):
            return self.max_batch
        least = self._least(self._most_within(seconds), SACRIFICE)
        return self._least(max(least, self._most_within(min(seconds, others) / 2)), ENOUGH)

    def size_for(self, waiting: Iterable[tuple[float, float]], now: float, others: float) -> int:
        """Return how many to run of images that wait.

        As many as are planned, or as there is time for. What will be late whatever is done is not to make others late:
        it runs in a batch that suits the first of them that can be in time.

        Args:
            waiting: when each is to be answered, and how long that was after it came; the soonest first.
            now: the time.
            others: how many seconds those have that may come next.
        """
        each = iter(waiting)
        soonest, seconds = next(each)
        least = now + self.estimate(1)
        if soonest < least:
            soonest, seconds = min((other for other in each if other[0] >= least), default=(math.inf, math.inf))
        return min(self.plan(seconds, others), self._most_within(soonest - now))

    def _most_within(self, seconds: float) -> int:
        """Return the largest batch that takes no longer, or one image."""
        return next((size for size in range(self.max_batch, 1, -1) if self.estimate(size) <= seconds), 1)

    def _least(self, most: int, loss: float) -> int:
        """Return the smallest batch in which an image takes hardly longer than in one of ``most``."""
        enough = (1 + loss) * self.estimate(most) / most
        return next((size for size in range(1, most) if self.estimate(size) <= enough * size), most)

    def learn(self, size: int, seconds: float) -> None:
        """Take what a batch took into account; a stall counts as no more than four times what was expected."""
        if expected := self._seconds[size]:
            self._factor += (min(seconds / expected, 4 * self._factor) - self._factor) / 8
            self._fastest = min(self._fastest, seconds / expected)

    def doubt(self) -> None:
        """Believe a little less in how long batches take.

        An estimate may keep every batch from being run, so that nothing would correct it: after one stall a model could
        refuse everybody for ever. It never falls below a quarter of the fastest batch seen.
        """
        self._factor = max(0.9 * self._factor, self._fastest / 4)
