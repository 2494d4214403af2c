"""How long batches of each size take: what is expected of them, and what is learned from those that ran."""

from collections.abc import Iterable

LONG_SECONDS = 0.1
"""What a batch of more than half of the most images takes at most: who comes next, in a hurry, waits for all of it."""


class BatchTimes:
    """Seconds for batches of up to ``max_batch`` images; none are expected to take any time until somebody says.

    What is learned is one factor: when neighbours take the cores, batches of every size take longer, those too that
    are not run now.
    """

    def __init__(self, max_batch: int) -> None:
        self.max_batch = max_batch
        self.long_seconds = LONG_SECONDS
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

    def estimate(self, rows: int) -> float:
        """Return the seconds for so many rows, in full batches and one of what is left."""
        full, rest = divmod(rows, self.max_batch)
        return self._factor * (full * self._seconds[self.max_batch] + self._seconds[rest])

    def size_within(self, seconds: float) -> int:
        """Return how many images to run where the first must be answered within ``seconds``.

        As many as take half of that, so that those that come next have time too, but no long batches of more than half
        of the most images, which would win a hundredth; one, where a single image takes more than half; a full batch
        where even that is too slow, for then nothing is lost.
        """
        for size in range(self.max_batch, 0, -1):
            took = self._factor * self._seconds[size]
            if 2 * took <= seconds and (took <= self.long_seconds or 2 * size <= self.max_batch):
                return size
        return 1 if self._factor * self._seconds[1] <= seconds else self.max_batch

    def size_for(self, deadlines: Iterable[float], now: float) -> int:
        """Return how many to run of images that are to be answered by these times, the soonest of them first.

        What will be late whatever is done is not to make others late: it runs in a batch that suits them.
        """
        each = iter(deadlines)
        soonest, least = next(each), now + self.estimate(1)
        if soonest < least:
            soonest = min((other for other in each if other >= least), default=soonest)
        return self.size_within(soonest - now)

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
