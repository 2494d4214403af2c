"""Streams that share work."""

import pytest

from model_server.lane import when_done


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
