"""One of an engine's streams: a batch at a time, in a thread of its own."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from model_server.batch_times import BatchTimes
from model_server.types import Float32Array, Rows

Infer = Callable[[Rows], Float32Array]
"""Rows ``[n, …]`` to logits ``[n, classes]``; it blocks."""
Finished = Callable[["asyncio.Future[Float32Array]", float], None]
"""What is called with a batch's logits, or what went wrong, and with the seconds that it took."""

WARM_UP_RUNS = 3
"""The first run of a shape pays for compiling it."""


class Lane:
    """A thread that runs batches.

    Args:
        infer: called in the thread.
        times: how long batches take; streams of equal width share them.
        clock: seconds, monotonic.
    """

    def __init__(self, infer: Infer, times: BatchTimes, clock: Callable[[], float]) -> None:
        self.times = times
        self.busy = False
        self.free_at = 0.0
        self._infer = infer
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")

    async def warm_up(self, row: Rows, sizes: Iterable[int]) -> dict[int, tuple[Float32Array, float]]:
        """Run one row, ``[1, …]``, in batches of these sizes; return the logits of each and the seconds of its best."""
        found = {}
        for size in sizes:
            batch, runs = np.repeat(row, size, axis=0), []
            for _ in range(WARM_UP_RUNS):
                begin = self._clock()
                logits = await asyncio.get_running_loop().run_in_executor(self._thread, self._infer, batch)
                runs.append(self._clock() - begin)
            found[size] = logits, min(runs)
        return found

    def run(self, rows: list[Rows], finished: Finished) -> float:
        """Begin a batch, of rows ``[…]`` each; return when."""
        begin = self._clock()
        self.busy = True
        self.free_at = begin + self.times.estimate(len(rows))

        def finish(done: "asyncio.Future[Float32Array]") -> None:
            self.busy = False
            self.free_at = self._clock()
            seconds = self.free_at - begin
            self.times.learn(len(rows), seconds)
            finished(done, seconds)

        running = asyncio.get_running_loop().run_in_executor(self._thread, self._infer, np.stack(rows))
        running.add_done_callback(finish)
        return begin

    def close(self) -> None:
        """Let the thread end after the batch it is at."""
        self._thread.shutdown(wait=True)


def when_done(free_at: list[float], work: float) -> float:
    """Return when ``work``, seconds of one stream, is done by streams that are free at these times, together."""
    begins = sorted(free_at)
    # by the first of them alone, by the first two and so on; one that is free too late to help only adds its delay
    return min((work + sum(begins[:count])) / count for count in range(1, len(begins) + 1))
