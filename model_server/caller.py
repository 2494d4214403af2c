"""A client that may go away before its answer is there."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

T = TypeVar("T")


async def unless_gone(receive: Receive, work: Awaitable[T]) -> T:
    """Return what ``work`` gives, once the request's body is read.

    It runs in the caller's own task, and is cancelled as ``asyncio.timeout`` does it: a task more is not for nothing.

    Raises:
        ClientDisconnect: the client went away first; the work was cancelled.
    """
    here = asyncio.current_task()
    if here is None:
        raise RuntimeError("unless_gone is called outside of a task")
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        here.cancel()

    watching = asyncio.ensure_future(watch())
    try:
        return await work
    except asyncio.CancelledError:
        if gone and here.uncancel() == 0:
            raise ClientDisconnect from None
        raise
    finally:
        watching.cancel()
