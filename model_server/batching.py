"""Images of many callers → batches for one engine, by deadline.

Nothing waits for a batch to fill: a stream takes what is there as soon as it is free, most urgent first, and batches
form by themselves while it is busy. A request is admitted only if it, and everything admitted before it, can still be
answered in time; what has been admitted is always answered.

An image that is alone gets the wide stream, which has all the threads; many get narrow ones, which wait for nobody.
"""

import asyncio
import bisect
import heapq
import itertools
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from model_server.batch_times import BatchTimes
from model_server.company import Company
from model_server.errors import DeadlineUnmet, QueueFull
from model_server.hurry import Hurry
from model_server.lane import Infer, Lane, when_done
from model_server.metrics import ModelMetrics
from model_server.place import Place
from model_server.slack import Slack
from model_server.types import Float32Array, Rows


class Batcher:
    """One engine's queue.

    Args:
        infer: rows ``[n, …]`` to logits ``[n, classes]``; called in a thread of its own, unless ``light``.
        narrow: the same over a part of the threads each, called in a thread each; none where ``infer`` does it all.
        light: whether batches that are done at once run on the event loop.
        max_batch: images in one call of ``infer``, or of one of ``narrow``.
        queue_size: images admitted at once: being decoded, waiting or in the engine.
        metrics: what is told of batches, of the queue's length and of the wait in it.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        infer: Infer,
        *,
        narrow: Sequence[Infer] = (),
        light: bool = False,
        max_batch: int,
        queue_size: int,
        metrics: ModelMetrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.queue_size = queue_size
        self.times = BatchTimes(max_batch)
        self.slack = Slack()
        self._metrics = metrics
        self._clock = clock
        self._wide = Lane(infer, BatchTimes(1) if narrow else self.times, clock, light=light)
        self._narrow = [Lane(each, self.times, clock) for each in narrow]
        self._shared = self._narrow or [self._wide]
        self._admitted: list[Place] = []
        self._queue: list[_Row] = []
        self._dead = 0
        self._company = Company()
        self._hurry = Hurry()
        self._order = itertools.count()

    async def warm_up(self, row: Rows) -> dict[int, Float32Array]:
        """Run every stream on one row, ``[1, …]``, alone and in a full batch, to learn how long each takes.

        Returns:
            The logits of each batch, by its size.
        """
        full = self.times.max_batch
        if self._narrow:
            _, seconds = (await self._wide.warm_up(row, [1]))[1]
            self._wide.times.expect_between(seconds, seconds)
        found = [await lane.warm_up(row, sorted({1, full})) for lane in self._shared]
        self.times.expect_between(*(min(each[size][1] for each in found) for size in (1, full)))
        return {size: logits for size, (logits, _) in found[0].items()}

    def admit(self, rows: int, deadline: float) -> Place:
        """Take places for ``rows`` images that are to be answered by ``deadline``, on this batcher's clock.

        Raises:
            QueueFull: fewer than ``rows`` places are free.
            DeadlineUnmet: this request, or one admitted earlier, would be answered too late.
        """
        taken = sum(place.rows for place in self._admitted)
        waiting = sum(place.waiting for place in self._admitted)
        now = self._clock()
        self._company.meet(taken, now)
        lanes = [self._wide] if taken == 0 and rows == 1 and self._suits_wide(deadline) else self._shared
        ready = max(now, self._wide.free_at)
        batch = self.times.plan(deadline - now, self._hurry.least(now))
        free_at, times = [max(ready, lane.free_at) for lane in lanes], lanes[0].times
        if taken + rows > self.queue_size:
            raise QueueFull(
                f"the queue is full: {taken} of {self.queue_size} places are taken and {rows} more images do not fit; "
                "send the request again later",
                when_done(free_at, waiting, times, batch) - now,
            )
        place = Place(self, rows, deadline, now)
        if now + times.estimate(1) <= deadline:  # refused or not, more like it may come
            self._hurry.meet(place.seconds, now)
        position = bisect.bisect_right(self._admitted, deadline, key=lambda other: other.deadline)
        ahead = sum(other.waiting for other in self._admitted[:position])
        for later in (place, *self._admitted[position:]):
            if not later.waiting:
                continue
            ahead += later.waiting
            seconds = when_done(free_at, ahead, times, batch) - now
            if later is place:
                place.foreseen = seconds
            late = now + self.slack.stretch(seconds) - later.deadline
            if late > 0:
                if now + seconds <= later.deadline:
                    self.slack.doubt(now)
                elif not waiting and not self._is_busy():
                    times.doubt()
                raise DeadlineUnmet(
                    f"the deadline can't be met: {waiting} images wait, and an answer would come "
                    f"{max(late, 0.001):.3f} seconds late; give a longer timeout or send the request again later",
                    late,
                )
        self._admitted.insert(position, place)
        self._metrics.queue_images.inc(rows)
        return place

    def queue_length(self) -> int:
        """Return how many rows are held, those of callers who left and were not cleared away yet among them."""
        return len(self._queue)

    def close(self) -> None:
        """Let the engine's threads end after the batches they are at."""
        for lane in {self._wide, *self._shared}:
            lane.close()

    def release(self, place: Place, *, answered: bool) -> None:
        """Give back a place; its rows that still wait leave the queue, and memory."""
        now = self._clock()
        if answered or (now > place.deadline >= place.queued_at > 0):  # who waited until then is late as well
            self.slack.learn(place.foreseen, place.admitted_at, now, place.deadline)
        self._company.leave(now)
        self._admitted.remove(place)
        self._metrics.queue_images.dec(place.rows)
        self._dead += place.forget()
        if 2 * self._dead > len(self._queue):
            self._queue = [row for row in self._queue if row.place.rows_left]
            heapq.heapify(self._queue)
            self._dead = 0

    def enqueue(self, place: Place, rows: Iterable[Rows]) -> None:
        """Put a place's rows into the queue."""
        place.keep(rows, self._clock())
        for position in range(place.rows):
            heapq.heappush(self._queue, _Row(place.deadline, next(self._order), place, position))
        self._run_next()

    def _is_busy(self) -> bool:
        return self._wide.busy or any(lane.busy for lane in self._narrow)

    def _run_next(self) -> None:
        """Give every stream that is free its share of what waits."""
        if self._wide.busy:  # it has every core
            return
        if self._narrow and not self._is_busy() and sum(place.rows for place in self._admitted) == 1:
            (alone,) = self._admitted
            if self._suits_wide(alone.deadline):
                self._run(self._wide, 1)
                return
        free = [lane for lane in self._shared if not lane.busy]
        for taken, lane in enumerate(free):
            # what is still being decoded counts: the streams are to have done at about the same time
            waiting = sum(place.waiting for place in self._admitted)
            self._run(lane, math.ceil(waiting / (len(self._shared) - taken)))

    def _suits_wide(self, deadline: float) -> bool:
        """Tell whether an image that is alone gets the wide stream: most are, or it has no time for a narrow one."""
        seconds = self.slack.stretch(self.times.estimate(1))
        return self._company.is_rare or self._clock() + seconds > deadline

    def _run(self, lane: Lane, share: int) -> None:
        batch = self._take(lane.times, share)
        if not batch:
            return
        self._metrics.batch_images.observe(len(batch))
        begin = lane.run(
            [row.place.hand_over(row.position) for row in batch],
            lambda done, seconds: self._finish(batch, done, seconds),
        )
        for row in batch:
            self._metrics.stages["queue"].observe(begin - row.place.queued_at)

    def _take(self, times: BatchTimes, share: int) -> list["_Row"]:
        """Take the most urgent rows: as many as suits the first of them that can be in time."""
        self._skip_dead()
        if not self._queue:
            return []
        waiting = ((row.deadline, row.place.seconds) for row in self._queue if row.place.rows_left)
        now = self._clock()
        size = times.size_for(waiting, now, self._hurry.least(now))
        batch: list[_Row] = []
        while self._queue and len(batch) < min(size, share):
            batch.append(heapq.heappop(self._queue))
            self._skip_dead()
        return batch

    def _skip_dead(self) -> None:
        while self._queue and not self._queue[0].place.rows_left:
            heapq.heappop(self._queue)
            self._dead -= 1

    def _finish(self, batch: list["_Row"], done: "asyncio.Future[Float32Array]", seconds: float) -> None:
        error = done.exception()
        if error is None:
            self._metrics.stages["inference"].observe(seconds)
            if len(done.result()) != len(batch):
                error = ValueError(f"{len(batch)} rows went into the engine, logits of {len(done.result())} came out")
        for index, row in enumerate(batch):
            if error is None:
                row.place.put(row.position, done.result()[index])
            else:
                row.place.fail(error)
        self._run_next()


class _Row(NamedTuple):
    deadline: float
    order: int
    place: Place
    position: int
