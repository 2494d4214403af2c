"""One of an engine's streams: a batch at a time, in a thread of its own or, where that costs more, on the loop."""

import asyncio
import heapq
import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from model_server.batch_times import BatchTimes
from model_server.types import Float32Array, Rows

Infer = Callable[[Rows], Float32Array]
"""Rows ``[n, …]`` to logits ``[n, classes]``; it blocks."""
Finished = Callable[["asyncio.Future[Float32Array]", float], None]
"""What is called with a batch's logits, or what went wrong, and with the seconds that it took."""

LIGHT_SECONDS = 0.0005
"""What takes no longer may be done on the event loop: a hand-over to a thread costs much of that."""
WARM_UP_RUNS = 3
"""The first run of a shape pays for compiling it."""


class Lane:
    """What runs batches.

    Args:
        infer: called in a thread, or on the event loop.
        times: how long batches take; streams of equal width share them.
        clock: seconds, monotonic.
        light: ``infer`` works in the thread that calls it, the event loop's where it takes at most ``LIGHT_SECONDS``.
    """

    def __init__(self, infer: Infer, times: BatchTimes, clock: Callable[[], float], *, light: bool = False) -> None:
        self.times = times
        self.busy = False
        self.free_at = 0.0
        self._infer = infer
        self._clock = clock
        self._light = light
        self._worked = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")

    async def warm_up(self, row: Rows, sizes: Iterable[int]) -> dict[int, tuple[Float32Array, float]]:
        """Run one row, ``[1, …]``, in batches of these sizes; return the logits of each and the seconds of its best."""
        found: dict[int, tuple[Float32Array, float]] = {}
        batches = {size: np.repeat(row, size, axis=0) for size in sizes}
        for _ in range(WARM_UP_RUNS):
            for size, batch in batches.items():  # in turns: a machine that is slow for a moment is so for all sizes
                begin = self._clock()
                logits = await asyncio.get_running_loop().run_in_executor(self._thread, self._call, batch)
                _, least = found.get(size, (logits, math.inf))
                found[size] = logits, min(least, self._seconds_since(begin))
        return found

    def run(self, rows: list[Rows], finished: Finished) -> float:
        """Begin a batch, of rows ``[…]`` each; return when."""
        begin = self._clock()
        expected = self.times.estimate(len(rows))
        self.busy = True
        self.free_at = begin + expected

        def finish(done: "asyncio.Future[Float32Array]") -> None:
            self.busy = False
            self.free_at = self._clock()
            seconds = self._seconds_since(begin)
            if done.exception() is None:
                self.times.learn(len(rows), seconds)
            finished(done, seconds)

        try:
            running = self._start(np.stack(rows), expected)
        except Exception as error:  # noqa: BLE001 - no memory for the batch, or no thread: its callers get it
            running = asyncio.get_running_loop().create_future()
            running.set_exception(error.with_traceback(None))  # which would hold the rows
        running.add_done_callback(finish)
        return begin

    def _start(self, batch: Rows, expected: float) -> "asyncio.Future[Float32Array]":
        loop = asyncio.get_running_loop()
        if self._light and expected <= LIGHT_SECONDS:
            running: asyncio.Future[Float32Array] = loop.create_future()
            loop.call_soon(self._call_here, batch, running)
            return running
        return loop.run_in_executor(self._thread, self._call, batch)

    def _call(self, batch: Rows) -> Float32Array:
        begin = time.thread_time()
        try:
            return self._infer(batch)
        finally:
            self._worked = time.thread_time() - begin

    def _call_here(self, batch: Rows, running: "asyncio.Future[Float32Array]") -> None:
        try:
            running.set_result(self._call(batch))
        except Exception as error:  # noqa: BLE001 - the batch's callers get it, as from a thread
            running.set_exception(error)

    def _seconds_since(self, begin: float) -> float:
        """Return what a batch took; of a light one its thread's own time, which a busy event loop leaves as it is."""
        return self._worked if self._light else self._clock() - begin

    def close(self) -> None:
        """Let the thread end after the batch it is at."""
        self._thread.shutdown(wait=True)


def when_done(free_at: Sequence[float], images: int, times: BatchTimes, batch: int) -> float:
    """Return when so many images are done by streams that are free at these times.

    They share them in batches of at most ``batch``, each of which goes to the stream that is free first.
    """
    size = min(batch, times.max_batch, math.ceil(images / len(free_at)))
    seconds = times.estimate(size)
    if seconds == 0:
        return min(free_at)
    full, rest = divmod(images, size)
    if len(free_at) == 1:
        return free_at[0] + full * seconds + times.estimate(rest)
    # what is certainly done sooner than all of it: nobody waits for whole batches up to there
    level = _fill(free_at, full * seconds) - seconds
    done = [max(0, math.floor((level - begin) / seconds)) for begin in free_at]
    free = [begin + seconds * count for begin, count in zip(free_at, done, strict=True)]
    heapq.heapify(free)
    last = free[0]
    for _ in range(full - sum(done)):
        heapq.heapreplace(free, last := free[0] + seconds)
    return max(last, free[0] + times.estimate(rest))


def _fill(free_at: Sequence[float], work: float) -> float:
    """Return when ``work``, seconds of one stream, would be done were it divided to the last second."""
    begins = sorted(free_at)
    # by the first of them alone, by the first two and so on; one that is free too late to help only adds its delay
    return min((work + sum(begins[:count])) / count for count in range(1, len(begins) + 1))
