"""Where batches run, and streams that share work."""

import asyncio
import threading

import numpy as np
import pytest

from model_server.batch_times import BatchTimes
from model_server.lane import LIGHT_SECONDS, Lane, when_done


@pytest.mark.parametrize(
    ("free_at", "work", "done"),
    [
        ([10.0], 0.0, 10.0),
        ([10.0], 3.0, 13.0),
        ([10.0, 10.0], 4.0, 12.0),
        ([10.0, 16.0], 4.0, 14.0),  # the second is not free before the first has done it all
        ([16.0, 10.0], 8.0, 17.0),
        ([10.0, 12.0, 40.0], 6.0, 14.0),
    ],
)
def test_work_goes_to_whoever_is_free_first(free_at: list[float], work: float, done: float) -> None:
    assert when_done(free_at, work) == done


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
