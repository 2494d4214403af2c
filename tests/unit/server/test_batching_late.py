"""Answers that come late, and what they say of those that are admitted next."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from test_batching import ROW, Clock, GatedEngine, caller, until

from model_server.batching import Batcher
from model_server.errors import DeadlineUnmet
from model_server.metrics import Metrics


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def steady(clock: Clock) -> AsyncIterator[Batcher]:
    """A batcher whose engine takes a second for an image, as is expected of it."""

    def infer(rows: np.ndarray) -> np.ndarray:
        clock.now += len(rows)
        return rows

    batcher = Batcher(infer, max_batch=4, queue_size=8, metrics=Metrics().of_model("m"), clock=clock)
    batcher.times.expect([0.0, 1.0, 2.0, 3.0, 4.0])
    yield batcher
    batcher.close()


async def answer(batcher: Batcher, clock: Clock, *, within: float, decoding: float = 0.0) -> None:
    with batcher.admit(1, clock.now + within) as place:
        clock.now += decoding
        await place.infer([ROW])


def make_late(batcher: Batcher, times: int) -> None:
    """Have so many answers come late, one after the other."""
    for number in range(times):
        batcher.slack.learn(1.0, float(number), number + 2.0, number + 1.0)


def count_refusals(batcher: Batcher, clock: Clock, within: float) -> int:
    """Return how often a hurried image is refused until it is admitted; 20,000 stands for ever."""
    for refused in range(20_000):
        try:
            with batcher.admit(1, clock.now + within):
                return refused
        except DeadlineUnmet:
            pass
    return 20_000


async def test_what_comes_late_is_foreseen_later(steady: Batcher, clock: Clock) -> None:
    """Decoding is in no batch's time: it is what comes between the place and the queue."""
    for _ in range(3):
        await answer(steady, clock, within=1.35, decoding=0.5)
    with pytest.raises(DeadlineUnmet, match=r"0\.050 seconds late"):
        steady.admit(1, clock.now + 1.25)
    with steady.admit(1, clock.now + 1.35):
        pass


async def test_who_leaves_when_the_time_is_up_was_late(steady: Batcher, clock: Clock) -> None:
    place = steady.admit(1, clock.now + 1.5)
    place.keep([ROW], clock.now)
    clock.now += 1.6
    place.__exit__(asyncio.CancelledError, asyncio.CancelledError(), None)
    assert steady.slack.stretch(1.0) > 1.0


@pytest.mark.parametrize("seconds", [0.5, 5.0])
async def test_who_leaves_sooner_or_before_its_image_is_decoded_says_nothing(
    steady: Batcher, clock: Clock, seconds: float
) -> None:
    place = steady.admit(1, clock.now + 1.5)
    if seconds < 1:
        place.keep([ROW], clock.now)
    clock.now += seconds
    place.__exit__(asyncio.CancelledError, asyncio.CancelledError(), None)
    assert steady.slack.stretch(1.0) == 1.0


async def test_a_busy_engine_that_refuses_for_its_slack_does_not_refuse_for_ever(steady: Batcher, clock: Clock) -> None:
    make_late(steady, 50)
    with steady.admit(1, clock.now + 600):
        assert 0 < count_refusals(steady, clock, 3) < 20_000


async def test_an_idle_engine_that_refuses_for_its_slack_does_not_refuse_for_ever(
    steady: Batcher, clock: Clock
) -> None:
    make_late(steady, 50)
    assert 0 < count_refusals(steady, clock, 1.1) < 20_000
    assert steady.times.estimate(1) == 1.0


@pytest.mark.parametrize(
    ("deadlines", "sizes"), [((102.2, 102.2), [2, 1]), ((200.0, 200.0), [3]), ((101.2, 101.3), [3])]
)
async def test_who_is_late_whatever_is_done_makes_nobody_late(
    clock: Clock, deadlines: tuple[float, float], sizes: list[int]
) -> None:
    engine = GatedEngine()
    batcher = Batcher(engine.infer, max_batch=4, queue_size=8, metrics=Metrics().of_model("m"), clock=clock)
    batcher.times.expect([0.0, 1.0, 1.5, 2.0, 2.5])
    running = caller(batcher, 0.0)
    await until(lambda: engine.batches)
    places = [batcher.admit(1, 900.0) for _ in range(3)]
    for place, deadline in zip(places, (101.0, *deadlines), strict=True):
        place.deadline = deadline  # as if time had passed
        batcher.enqueue(place, [ROW])
    clock.now += 0.5
    batcher.times.expect([0.0, 1.0, 1.5, 2.0, 2.5])
    engine.gate.set()
    await running
    await until(lambda: all(place.answered() for place in places))
    batcher.close()
    assert [len(batch) for batch in engine.batches[1:]] == sizes
