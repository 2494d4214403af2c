"""How long batches of each size take: what is expected of them, and what is learned from those that ran."""


class BatchTimes:
    """Seconds for batches of up to ``max_batch`` images; none are expected to take any time until somebody says."""

    def __init__(self, max_batch: int) -> None:
        self._max_batch = max_batch
        self._seconds = [0.0] * (max_batch + 1)
        self._fastest = list(self._seconds)

    def expect(self, seconds: list[float]) -> None:
        """Say how long batches of 0, 1, … ``max_batch`` images take; what is measured from then on corrects it."""
        self._seconds = list(seconds)
        self._fastest = list(seconds)

    def expect_between(self, one: float, full: float) -> None:
        """Say how long one image takes and a full batch; those between lie on a line."""
        steps = max(1, self._max_batch - 1)
        self.expect([0.0, *(one + (full - one) * (size - 1) / steps for size in range(1, self._max_batch + 1))])

    def estimate(self, rows: int) -> float:
        """Return the seconds for so many rows, in full batches and one of what is left."""
        full, rest = divmod(rows, self._max_batch)
        return full * self._seconds[self._max_batch] + self._seconds[rest]

    def largest_within(self, seconds: float) -> int:
        """Return the size of the largest batch that takes no longer; of a full one if none is so fast."""
        return next((n for n in range(self._max_batch, 0, -1) if self._seconds[n] <= seconds), self._max_batch)

    def learn(self, size: int, seconds: float) -> None:
        """Take what a batch took into account; a stall counts as no more than four times what was expected."""
        expected = self._seconds[size]
        self._seconds[size] += (min(seconds, 4 * expected or seconds) - expected) / 8
        self._fastest[size] = min(self._fastest[size] or seconds, seconds)

    def doubt(self, from_size: int) -> None:
        """Believe a little less in how long batches of this size and of larger ones take.

        An estimate keeps batches from being run, so that nothing would correct it: after one stall a model could
        refuse everybody for ever. It never falls below a quarter of the fastest batch seen.
        """
        for size in range(from_size, self._max_batch + 1):
            self._seconds[size] = max(0.9 * self._seconds[size], self._fastest[size] / 4)
