"""How long batches of each size take: what is expected of them, and what is learned from those that ran."""

from collections.abc import Iterable

ENOUGH = 0.01
"""How much more than in the best batch an image may take in one that is large enough."""


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

    def plan(self, seconds: float) -> int:
        """Return how many images to run together where each is to be answered within ``seconds``.

        A batch takes at most half of that, so that those that come next have time too; and it is no larger than it
        takes to have nearly all that batches win, for whoever comes next waits for all of it.
        """
        if not self.estimate(1):
            return self.max_batch
        most = next((size for size in range(self.max_batch, 1, -1) if 2 * self.estimate(size) <= seconds), 1)
        enough = (1 + ENOUGH) * self.estimate(most) / most
        return next(size for size in range(1, most + 1) if self.estimate(size) <= enough * size)

    def size_for(self, waiting: Iterable[tuple[float, int]], now: float) -> int:
        """Return how many to run of images that wait.

        As many as are planned, or as there is time for. One, where there is time for that at most; a full batch where
        even one is too slow, for then nothing is lost. What will be late whatever is done is not to make others late:
        it runs in a batch that suits them.

        Args:
            waiting: when each is to be answered, and how many are planned to run together with it; the soonest first.
            now: the time.
        """
        each = iter(waiting)
        soonest, planned = next(each)
        least = now + self.estimate(1)
        if soonest < least:
            soonest, planned = min((other for other in each if other[0] >= least), default=(soonest, planned))
        if soonest < least:
            return self.max_batch
        sizes = range(min(planned, self.max_batch), 1, -1)
        return next((size for size in sizes if now + self.estimate(size) <= soonest), 1)

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
