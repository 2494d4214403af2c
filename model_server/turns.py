"""Work on what has a name, one at a time for each name; who asks for what still waits for its turn joins it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from model_server.errors import NotReady

T = TypeVar("T")


class Turns:
    """For each name one piece of work that runs, and at most one of each verb that waits.

    Work that was begun is done, even where everybody who asked for it has left.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._waiting: dict[tuple[str, str], asyncio.Task[Any]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def take(self, name: str, verb: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work when the name's turn comes, or wait for the same work of somebody else that has not begun.

        Raises:
            NotReady: the turns ended first.
        """
        task = self._waiting.get((name, verb)) or self._queue(name, verb, work)
        try:
            result: T = await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise NotReady(f"the server is stopping; nothing more is done about {name!r}") from None
            raise
        return result

    async def end(self) -> None:
        """Cancel what runs or waits, and return once it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _queue(self, name: str, verb: str, work: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        lock = self._locks.setdefault(name, asyncio.Lock())
        task = asyncio.create_task(self._work_in_turn(name, verb, work, lock))
        self._waiting[name, verb] = task
        self._tasks.add(task)
        task.add_done_callback(partial(self._forget, name, verb))
        return task

    async def _work_in_turn(self, name: str, verb: str, work: Callable[[], Awaitable[T]], lock: asyncio.Lock) -> T:
        async with lock:  # in the order in which they came
            del self._waiting[name, verb]
            return await work()

    def _forget(self, name: str, verb: str, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # asked for, or asyncio logs a traceback where everybody has left
        if self._waiting.get((name, verb)) is task:  # it was cancelled before its turn
            del self._waiting[name, verb]
