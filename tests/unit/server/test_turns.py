"""Work in turns."""

import asyncio
import gc

import pytest

from model_server.errors import NotReady
from model_server.turns import Turns


class Work:
    """Notes when it begins and ends; goes on when it is told to."""

    def __init__(self, result: str = "done", notes: list[str] | None = None) -> None:
        self.result = result
        self.notes = [] if notes is None else notes
        self.go_on = asyncio.Event()

    async def __call__(self) -> str:
        self.notes.append(f"{self.result} begins")
        await self.go_on.wait()
        self.notes.append(f"{self.result} ends")
        return self.result


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_name_has_one_work_at_a_time_in_the_order_of_asking() -> None:
    turns, notes = Turns(), []
    works = [Work(result, notes) for result in ("load", "unload")]
    asked = [asyncio.create_task(turns.take("a", work.result, work)) for work in works]
    works[1].go_on.set()
    await settle()
    assert notes == ["load begins"]
    works[0].go_on.set()
    assert await asyncio.gather(*asked) == ["load", "unload"]
    assert notes == ["load begins", "load ends", "unload begins", "unload ends"]


async def test_names_do_not_wait_for_each_other() -> None:
    turns, first, second = Turns(), Work(), Work()
    asked = asyncio.create_task(turns.take("a", "load", first))
    second.go_on.set()
    assert await turns.take("b", "load", second) == "done"
    assert not asked.done()
    first.go_on.set()
    assert await asked == "done"


async def test_who_asks_for_what_waits_joins_it_and_for_what_runs_does_not() -> None:
    turns = Turns()
    works = [Work(str(number)) for number in range(50)]
    asked = [asyncio.create_task(turns.take("a", "load", works[0]))]
    await settle()
    asked += [asyncio.create_task(turns.take("a", "load", work)) for work in works[1:]]
    for work in works:
        work.go_on.set()
    assert await asyncio.gather(*asked) == ["0", *["1"] * 49]
    assert all(not work.notes for work in works[2:])


async def test_work_is_done_where_nobody_waits_for_it_any_more() -> None:
    turns, works = Turns(), [Work(), Work()]
    for work in works:
        asked = asyncio.create_task(turns.take("a", "load", work))
        await settle()
        asked.cancel()
    for work in works:
        work.go_on.set()
    await settle()
    assert [work.notes for work in works] == [["done begins", "done ends"]] * 2


async def test_a_failure_is_everybodys_who_asked_and_the_next_turn_comes() -> None:
    turns = Turns()

    async def fail() -> None:
        raise LookupError("gone")

    first = Work()
    holding = asyncio.create_task(turns.take("a", "unload", first))
    await settle()
    asked = [asyncio.create_task(turns.take("a", "load", fail)) for _ in range(3)]
    last = Work()
    asked.append(asyncio.create_task(turns.take("a", "unload", last)))
    last.go_on.set()
    first.go_on.set()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["gone", "gone", "gone", "done"]
    assert await holding == "done"


async def test_the_end_cancels_what_runs_and_what_waits() -> None:
    turns, works = Turns(), [Work(), Work(), Work()]
    asked = [
        asyncio.create_task(turns.take(name, verb, work))
        for name, verb, work in zip("aab", ("load", "unload", "load"), works, strict=True)
    ]
    await settle()
    await turns.end()
    for outcome in asked:
        with pytest.raises(NotReady, match="the server is stopping"):
            await outcome
    assert [work.notes for work in works] == [["done begins"], [], ["done begins"]]
    await turns.end()


async def test_nothing_is_kept_of_a_name_whose_work_is_done() -> None:
    turns, work = Turns(), Work()
    work.go_on.set()
    for number in range(100):
        await turns.take(f"name-{number}", "load", work)
    await settle()
    assert (len(turns._locks), turns._waiting, turns._tasks) == (0, {}, set())


async def test_a_failure_that_nobody_waits_for_any_more_is_no_fault_of_asyncios() -> None:
    turns, go_on, complaints = Turns(), asyncio.Event(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def fail() -> None:
        await go_on.wait()
        raise LookupError("gone")

    asked = asyncio.create_task(turns.take("a", "load", fail))
    await settle()
    asked.cancel()
    await settle()
    go_on.set()
    await settle()
    del asked
    gc.collect()
    assert (complaints, turns._tasks) == ([], set())
