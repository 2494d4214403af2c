"""How long batches of each size take: what is expected of them, and what is learned from those that ran."""

WORTHWHILE = 0.05
"""What a larger batch must save an image, of its time, to be worth waiting for."""


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

    def keep_to_worthwhile(self) -> None:
        """Take no larger batches than save time: the images in them would only wait for each other."""
        an_image = [seconds / size for size, seconds in enumerate(self._seconds) if size]
        within = (1 + WORTHWHILE) * min(an_image)
        self.max_batch = next(size for size, seconds in enumerate(an_image, start=1) if seconds <= within)

    def estimate(self, rows: int) -> float:
        """Return the seconds for so many rows, in full batches and one of what is left."""
        full, rest = divmod(rows, self.max_batch)
        return self._factor * (full * self._seconds[self.max_batch] + self._seconds[rest])

    def largest_within(self, seconds: float) -> int:
        """Return the size of the largest batch that takes no longer; of a full one if none is so fast."""
        sizes = range(self.max_batch, 0, -1)
        return next((n for n in sizes if self._factor * self._seconds[n] <= seconds), self.max_batch)

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
