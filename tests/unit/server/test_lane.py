"""Where batches run, and streams that share work."""

import asyncio
import random
import threading

import numpy as np
import pytest

from model_server.batch_times import BatchTimes
from model_server.lane import LIGHT_SECONDS, Lane, when_done


@pytest.mark.parametrize(
    ("free_at", "images", "done"),
    [
        ([10.0], 0, 10.0),
        ([10.0], 3, 16.0),
        ([10.0, 10.0], 4, 14.0),
        ([10.0, 10.0], 5, 16.0),  # the last is done by one of them alone
        ([10.0, 16.0], 2, 14.0),  # the second is not free before the first has done it all
        ([10.0, 11.0], 2, 13.0),
        ([11.0, 10.0], 3, 14.0),
        ([10.0, 12.0, 40.0], 3, 14.0),
        ([10.0, 10.5, 12.5], 200, 144.5),
    ],
)
def test_images_go_to_whoever_is_free_first(free_at: list[float], images: int, done: float) -> None:
    times = BatchTimes(2)
    times.expect([0.0, 2.0, 4.0])
    assert when_done(free_at, images, times, 1) == done


def test_it_is_as_if_each_image_was_taken_in_turn() -> None:
    numbers = random.Random(0)
    times = BatchTimes(1)
    times.expect([0.0, 1.5])
    for _ in range(500):
        free_at = [numbers.uniform(0, 9) for _ in range(numbers.randint(2, 4))]
        free, images = list(free_at), numbers.randint(1, 30)
        for _ in range(images):
            last = min(free) + 1.5
            free[free.index(min(free))] = last
        assert when_done(free_at, images, times, 1) == pytest.approx(last)


def test_streams_of_which_nobody_expects_anything_are_done_when_they_are_free() -> None:
    assert when_done([3.0, 2.0], 5, BatchTimes(2), 2) == 2.0


@pytest.mark.parametrize(
    ("images", "batch", "done"), [(1, 4, 11.0), (2, 4, 11.0), (4, 4, 11.5), (7, 2, 13.0), (8, 2, 13.0), (9, 8, 13.5)]
)
def test_streams_share_images_in_batches(images: int, batch: int, done: float) -> None:
    times = BatchTimes(4)
    times.expect([0.0, 1.0, 1.5, 2.0, 2.5])
    assert when_done([10.0, 10.0], images, times, batch) == done


async def run_one(expected_seconds: float, *, light: bool, error: Exception | None = None) -> tuple[object, bool]:
    """Return what a batch of one came to, and whether it ran on the event loop."""
    times, threads, found = BatchTimes(1), [], asyncio.get_running_loop().create_future()

    def infer(rows: np.ndarray) -> np.ndarray:
        threads.append(threading.current_thread())
        if error:
            raise error
        return rows * 2

    times.expect([0.0, expected_seconds])
    lane = Lane(infer, times, lambda: 1.0, light=light)
    lane.run([np.float32([3])], lambda done, _: found.set_result(done.exception() or done.result().tolist()))
    assert lane.busy
    answer = await found
    assert not lane.busy
    lane.close()
    return answer, threads == [threading.current_thread()]


@pytest.mark.parametrize(
    ("light", "seconds", "here"),
    [(True, LIGHT_SECONDS, True), (True, 2 * LIGHT_SECONDS, False), (False, LIGHT_SECONDS, False)],
)
async def test_a_batch_that_is_done_at_once_runs_on_the_event_loop(light: bool, seconds: float, here: bool) -> None:
    assert await run_one(seconds, light=light) == ([[6.0]], here)


async def test_an_engine_that_fails_on_the_event_loop_fails_its_batch_alone() -> None:
    error = ValueError("no")
    assert await run_one(LIGHT_SECONDS, light=True, error=error) == (error, True)


@pytest.mark.parametrize("fault", ["rows that fit no batch", "an engine that fails", "a thread that has ended"])
async def test_whatever_goes_wrong_the_callers_learn_it_and_the_stream_is_free_again(fault: str) -> None:
    def infer(rows: np.ndarray) -> np.ndarray:
        if fault == "an engine that fails":
            raise RuntimeError
        return rows

    times, found = BatchTimes(2), asyncio.get_running_loop().create_future()
    times.expect([0.0, 1.0, 2.0])
    lane = Lane(infer, times, lambda: 1.0)
    if fault == "a thread that has ended":
        lane.close()
    rows = [np.zeros(1, np.float32), np.zeros(2 if fault == "rows that fit no batch" else 1, np.float32)]
    lane.run(rows, lambda done, _: found.set_result(done.exception()))
    assert isinstance(await found, (ValueError, RuntimeError))
    assert not lane.busy
    assert times.estimate(1) == 1.0  # for a batch that failed took no time that says anything
    lane.close()
