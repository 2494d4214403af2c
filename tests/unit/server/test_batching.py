"""The batcher against a clock and an engine that the test moves by hand."""

import asyncio
import threading
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from model_server.batching import Batcher
from model_server.errors import DeadlineUnmet, QueueFull, ServingError
from model_server.metrics import Metrics

ROW = np.zeros(1, np.float32)


class GatedEngine:
    """Doubles its rows; each call waits until the test lets it go, and is recorded."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.gate = threading.Event()
        self.error: Exception | None = None

    def infer(self, rows: np.ndarray) -> np.ndarray:
        self.batches.append(rows[:, 0].tolist())
        assert self.gate.wait(20)
        if self.error:
            raise self.error
        return rows * 2


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine() -> GatedEngine:
    return GatedEngine()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def batcher(engine: GatedEngine, clock: Clock) -> AsyncIterator[Batcher]:
    batcher = Batcher(engine.infer, max_batch=4, queue_size=8, metrics=Metrics().of_model("m"), clock=clock)
    batcher.times.expect([0.0, 1.0, 1.5, 2.0, 2.5])
    yield batcher
    engine.gate.set()
    batcher.close()


def caller(batcher: Batcher, *values: float, deadline: float = 1000.0) -> "asyncio.Task[list[float]]":
    """Send one request of a row for each value."""

    async def call() -> list[float]:
        with batcher.admit(len(values), deadline) as place:
            logits = await place.infer([ROW + value for value in values])
        return logits[:, 0].tolist()

    return asyncio.ensure_future(call())


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_lone_row_does_not_wait_for_others(batcher: Batcher, engine: GatedEngine) -> None:
    engine.gate.set()
    assert await caller(batcher, 1.0) == [2.0]
    assert engine.batches == [[1.0]]


async def test_rows_that_come_while_the_engine_is_busy_form_one_batch(batcher: Batcher, engine: GatedEngine) -> None:
    first = caller(batcher, 1.0)
    await until(lambda: engine.batches)
    others = [caller(batcher, value) for value in (2.0, 3.0, 4.0)]
    await asyncio.sleep(0)
    engine.gate.set()
    assert [await first, *[await other for other in others]] == [[2.0], [4.0], [6.0], [8.0]]
    assert engine.batches == [[1.0], [2.0, 3.0, 4.0]]


async def test_a_request_larger_than_a_batch_is_cut_and_put_together_again(
    batcher: Batcher, engine: GatedEngine
) -> None:
    engine.gate.set()
    assert await caller(batcher, 1, 2, 3, 4, 5, 6) == [2, 4, 6, 8, 10, 12]
    assert engine.batches == [[1, 2, 3, 4], [5, 6]]


async def test_the_most_urgent_goes_first(batcher: Batcher, engine: GatedEngine, clock: Clock) -> None:
    running = caller(batcher, 0.0)
    await until(lambda: engine.batches)
    late = [caller(batcher, value, deadline=900.0) for value in (1.0, 2.0, 3.0, 4.0)]
    urgent = caller(batcher, 9.0, deadline=110.0)
    await asyncio.sleep(0)
    engine.gate.set()
    await asyncio.gather(running, *late, urgent)
    assert engine.batches[1][0] == 9.0


async def test_a_batch_is_no_larger_than_its_most_urgent_row_allows(
    batcher: Batcher, engine: GatedEngine, clock: Clock
) -> None:
    running = caller(batcher, 0.0)
    await until(lambda: engine.batches)
    urgent = caller(batcher, 9.0, deadline=103.2)  # a batch of 2 takes 1.5 seconds, less than half of 3.2
    others = [caller(batcher, value) for value in (1.0, 2.0, 3.0)]
    await asyncio.sleep(0)
    engine.gate.set()
    await asyncio.gather(running, urgent, *others)
    assert engine.batches[1:] == [[9.0, 1.0], [2.0, 3.0]], "who comes next may be in such a hurry too"


async def test_batches_are_large_again_when_nobody_was_in_a_hurry_for_a_while(
    batcher: Batcher, engine: GatedEngine, clock: Clock
) -> None:
    urgent = caller(batcher, 0.0, deadline=103.5)
    await until(lambda: engine.batches)
    clock.now += 1.1
    others = [caller(batcher, value) for value in (1.0, 2.0, 3.0)]
    await asyncio.sleep(0)
    engine.gate.set()
    await asyncio.gather(urgent, *others)
    assert engine.batches[1:] == [[1.0, 2.0, 3.0]]


async def test_a_full_queue_refuses_and_says_when_to_come_back(batcher: Batcher, engine: GatedEngine) -> None:
    accepted = [caller(batcher, 1, 2, 3, 4), caller(batcher, 5, 6, 7, 8)]
    await until(lambda: engine.batches)
    with pytest.raises(QueueFull, match="8 of 8 places are taken") as refusal:
        await caller(batcher, 9.0)
    assert refusal.value.retry_after_seconds == 5  # 2.5 seconds for the batch that runs, 2.5 for the one that waits
    engine.gate.set()
    assert await asyncio.gather(*accepted) == [[2, 4, 6, 8], [10, 12, 14, 16]]


async def test_a_deadline_that_cannot_be_met_is_refused_at_once(batcher: Batcher, engine: GatedEngine) -> None:
    accepted = [caller(batcher, 1, 2, 3, 4), caller(batcher, 5.0)]
    await until(lambda: engine.batches)
    with pytest.raises(DeadlineUnmet, match=r"1\.000 seconds late"):
        await caller(batcher, 9.0, deadline=102.5)  # 2.5 seconds are running, and 1 is needed
    engine.gate.set()
    assert await asyncio.gather(*accepted) == [[2, 4, 6, 8], [10]]


async def test_an_urgent_request_may_not_make_an_admitted_one_late(batcher: Batcher, engine: GatedEngine) -> None:
    accepted = [caller(batcher, 1, 2, 3, 4), caller(batcher, 5.0, deadline=103.8)]
    await until(lambda: engine.batches)
    with pytest.raises(DeadlineUnmet):
        await caller(batcher, 9.0, deadline=103.6)
    engine.gate.set()
    await asyncio.gather(*accepted)


async def test_what_was_admitted_is_answered_even_when_it_is_late(
    batcher: Batcher, engine: GatedEngine, clock: Clock
) -> None:
    accepted = [caller(batcher, 1.0, deadline=102.0), caller(batcher, 2.0, deadline=103.0)]
    await until(lambda: engine.batches)
    clock.now = 500.0
    engine.gate.set()
    assert await asyncio.gather(*accepted) == [[2.0], [4.0]]


async def test_a_caller_who_leaves_gives_the_place_back_and_is_never_run(batcher: Batcher, engine: GatedEngine) -> None:
    accepted = caller(batcher, 1, 2, 3, 4)
    await until(lambda: engine.batches)
    leaver = caller(batcher, 5, 6, 7, 8)
    await asyncio.sleep(0)
    leaver.cancel()
    await asyncio.wait([leaver])
    follower = caller(batcher, 9, 10, 11, 12)
    await asyncio.sleep(0)
    engine.gate.set()
    await accepted
    assert await follower == [18, 20, 22, 24]
    assert engine.batches == [[1, 2, 3, 4], [9, 10, 11, 12]]


async def test_an_engine_that_fails_fails_its_batch_alone(batcher: Batcher, engine: GatedEngine) -> None:
    engine.error = RuntimeError("out of memory")
    engine.gate.set()
    with pytest.raises(ServingError, match="RuntimeError"):
        await caller(batcher, 1.0)
    engine.error = None
    assert await caller(batcher, 2.0) == [4.0]


async def test_warm_up_learns_how_long_batches_take(clock: Clock) -> None:
    def infer(rows: np.ndarray) -> np.ndarray:
        clock.now += 0.5 * len(rows)
        return rows

    batcher = Batcher(infer, max_batch=4, queue_size=8, metrics=Metrics().of_model("m"), clock=clock)
    await batcher.warm_up(ROW[np.newaxis])
    try:
        with pytest.raises(DeadlineUnmet, match=r"0\.400 seconds late"):
            batcher.admit(3, clock.now + 1.1)
    finally:
        batcher.close()


async def test_one_stall_does_not_make_an_idle_engine_refuse_for_ever(engine: GatedEngine, clock: Clock) -> None:
    def infer(rows: np.ndarray) -> np.ndarray:
        clock.now += stall if stall else 0.1
        return rows

    stall = 0.0
    batcher = Batcher(infer, max_batch=4, queue_size=8, metrics=Metrics().of_model("m"), clock=clock)
    await batcher.warm_up(ROW[np.newaxis])
    stall = 60.0
    for _ in range(20):
        await caller(batcher, 1.0, deadline=1e9)
    stall = 0.0
    refused = 0
    for _ in range(100):
        try:
            await caller(batcher, 1.0, deadline=clock.now + 0.2)
        except DeadlineUnmet:
            refused += 1
    batcher.close()
    assert 0 < refused < 90
    for _ in range(100):  # what no batch was ever fast enough for is still refused
        with pytest.raises(DeadlineUnmet):
            batcher.admit(1, clock.now + 0.01)


async def test_rows_of_callers_who_left_are_not_kept(batcher: Batcher, engine: GatedEngine) -> None:
    accepted = caller(batcher, 0.0)
    await until(lambda: engine.batches)
    for _ in range(50):
        leaver = caller(batcher, 5, 6, 7, deadline=5000.0)
        await asyncio.sleep(0)
        leaver.cancel()
        await asyncio.wait([leaver])
    assert batcher.queue_length() <= 4
    engine.gate.set()
    assert await accepted == [0.0]
    assert await caller(batcher, 1.0) == [2.0]


async def test_an_engine_that_answers_for_fewer_rows_fails_the_batch(clock: Clock) -> None:
    batcher = Batcher(lambda rows: rows[:1], max_batch=4, queue_size=8, metrics=Metrics().of_model("m"), clock=clock)
    with pytest.raises(ServingError, match="ValueError"):
        await caller(batcher, 1.0, 2.0)
    batcher.close()
