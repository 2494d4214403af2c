"""An event loop whose time passes only when nothing is left to do: minutes in a second, the same in each run."""

import asyncio
import math
import random
import selectors
from collections.abc import Callable
from typing import Any

import numpy as np


class VirtualLoop(asyncio.SelectorEventLoop):
    """What is handed to a thread is done at once, and its result comes when its stream's time is over."""

    def __init__(self) -> None:
        self.now = 0.0
        self.taken = 0.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now

    def run_in_executor(self, _: Any, func: Callable[..., Any], *args: Any) -> Any:
        future = self.create_future()
        result = func(*args)
        self.call_later(self.taken, future.set_result, result)
        return future


class Stream:
    """An engine's stream: so many seconds an image and for a batch, give or take a share of them.

    The share is the deviation of the logarithm.
    """

    def __init__(
        self, loop: VirtualLoop, seconds: float, deviation: float, seed: int, batch_seconds: float = 0.0
    ) -> None:
        self._loop, self._seconds, self._deviation = loop, seconds, deviation
        self._batch_seconds = batch_seconds
        self._random = random.Random(seed)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        seconds = self._batch_seconds + len(rows) * self._seconds
        self._loop.taken = seconds * math.exp(self._random.gauss(0.0, self._deviation))
        return rows


class _Selector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits for nothing"
        self._loop.now += timeout
        return super().select(0)
