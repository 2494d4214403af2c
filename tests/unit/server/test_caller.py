"""Work ends when its caller leaves, and only then."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from model_server.caller import unless_gone


def receiving(gone: asyncio.Event) -> Callable[[], Awaitable[Message]]:
    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    return receive


async def test_a_caller_who_stays_is_answered() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await unless_gone(receiving(asyncio.Event()), work()) == 7
    assert len(asyncio.all_tasks()) == 1 or await settled()


async def settled() -> bool:
    await asyncio.sleep(0)
    return len(asyncio.all_tasks()) == 1


async def test_work_is_cancelled_when_the_caller_leaves() -> None:
    gone, ended = asyncio.Event(), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    asyncio.get_running_loop().call_soon(gone.set)
    with pytest.raises(ClientDisconnect):
        await unless_gone(receiving(gone), work())
    assert ended
    assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def test_an_error_of_the_work_is_the_callers() -> None:
    async def work() -> None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        await unless_gone(receiving(asyncio.Event()), work())


async def test_a_cancellation_from_outside_stays_one() -> None:
    waiting = asyncio.ensure_future(unless_gone(receiving(asyncio.Event()), asyncio.Event().wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
