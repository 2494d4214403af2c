"""A request's place before an engine: its rows until the engine takes them, then its logits until it is answered."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from model_server.errors import ServingError
from model_server.types import Float32Array, Rows


class Queue(Protocol):
    """Where places are taken."""

    def enqueue(self, place: "Place", rows: Iterable[Rows]) -> None:
        """Put a place's rows into the queue."""

    def release(self, place: "Place", *, answered: bool) -> None:
        """Give back a place."""


class Place:
    """A request's place in the queue, from before its images are decoded until it is answered or its caller leaves.

    A context manager: leaving it gives the place back, whatever happened inside.
    """

    def __init__(self, queue: Queue, rows: int, deadline: float, now: float) -> None:
        self.rows = rows
        self.waiting = rows
        self.deadline = deadline
        self.admitted_at = now
        self.foreseen = 0.0
        self.queued_at = 0.0
        self.rows_left: dict[int, Rows] = {}
        self._queue = queue
        self._logits: dict[int, Float32Array] = {}
        self._answer: asyncio.Future[Float32Array] = asyncio.get_running_loop().create_future()

    def keep(self, rows: Iterable[Rows], now: float) -> None:
        """Hold the rows, from now until the engine takes them."""
        self.queued_at = now
        self.rows_left = dict(enumerate(rows))

    def hand_over(self, position: int) -> Rows:
        """Return a row, for the engine, and hold it no longer."""
        self.waiting -= 1
        return self.rows_left.pop(position)

    def forget(self) -> int:
        """Drop the rows that the engine has not taken; return how many they were."""
        left = len(self.rows_left)
        self.rows_left = {}
        return left

    @property
    def seconds(self) -> float:
        """Return the time that it was given."""
        return self.deadline - self.admitted_at

    async def infer(self, rows: Iterable[Rows]) -> Float32Array:
        """Return the logits, ``[n, classes]``, of this request's n rows.

        Raises:
            ServingError: the engine failed on the batch.
        """
        self._queue.enqueue(self, rows)
        return await self._answer

    def answered(self) -> bool:
        """Tell whether nobody waits for this place any more."""
        return self._answer.done()

    def put(self, position: int, logits: Float32Array) -> None:
        """Take one row's logits, ``[classes]``; the last one answers the request."""
        if self.answered():
            return
        self._logits[position] = logits
        if len(self._logits) == self.rows:
            self._answer.set_result(np.stack([self._logits[index] for index in range(self.rows)]))

    def fail(self, error: BaseException) -> None:
        """Answer with an error."""
        if not self.answered():
            failure = ServingError(f"inference failed: {type(error).__name__}")
            failure.__cause__ = error
            self._answer.set_exception(failure)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._answer.cancel()
        self._queue.release(self, answered=error is None and not self._answer.cancelled())
