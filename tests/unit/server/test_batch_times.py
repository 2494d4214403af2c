"""What is expected of batches, and how far one measurement may change it."""

import pytest

from model_server.batch_times import BatchTimes


@pytest.fixture
def times() -> BatchTimes:
    """A batch of n images takes n seconds, up to 4."""
    times = BatchTimes(4)
    times.expect([0.0, 1.0, 2.0, 3.0, 4.0])
    times.long_seconds = 4.0
    return times


def test_rows_are_cut_into_full_batches_and_a_rest(times: BatchTimes) -> None:
    times.expect([0.0, 10.0, 11.0, 12.0, 13.0])
    assert [times.estimate(rows) for rows in (0, 1, 4, 5, 11)] == [0, 10, 13, 23, 38]


@pytest.mark.parametrize(("largest", "seconds"), [(1, [0.0, 5.0]), (2, [0.0, 1.0, 5.0]), (3, [0.0, 1.0, 3.0, 5.0])])
def test_sizes_between_one_and_a_full_batch_lie_on_a_line(largest: int, seconds: list[float]) -> None:
    times = BatchTimes(largest)
    times.expect_between(seconds[1], seconds[largest])
    assert [times.estimate(rows) for rows in range(largest + 1)] == seconds


def test_a_batch_takes_half_of_the_time_or_is_one_or_is_full(times: BatchTimes) -> None:
    sizes = {9.0: 4, 8.0: 4, 7.9: 3, 2.0: 1, 1.9: 1, 1.0: 1, 0.9: 4, -1.0: 4}
    assert {seconds: times.size_within(seconds) for seconds in sizes} == sizes


@pytest.mark.parametrize(("long_seconds", "size"), [(3.0, 3), (2.9, 2), (0.5, 2)])
def test_no_batch_of_more_than_half_of_the_most_images_takes_long(
    times: BatchTimes, long_seconds: float, size: int
) -> None:
    times.long_seconds = long_seconds
    assert times.size_within(100.0) == size


@pytest.mark.parametrize(
    ("lefts", "size"), [([0.5, 9.0, 6.0], 3), ([2.0, 9.0], 1), ([0.5, 0.9], 4), ([-3.0, 1.0], 1), ([20.0], 4)]
)
def test_what_is_late_anyway_suits_those_that_are_not(times: BatchTimes, lefts: list[float], size: int) -> None:
    assert times.size_for([100 + left for left in lefts], 100) == size


def test_a_measurement_counts_for_an_eighth_and_a_stall_as_four_times_what_was_expected(times: BatchTimes) -> None:
    times.learn(2, 3.0)
    assert times.estimate(2) == 2.0 + 1 / 8
    expected = times.estimate(1)
    times.learn(1, 1000.0)
    assert times.estimate(1) == pytest.approx(expected * (1 + 3 / 8))


def test_what_one_size_takes_is_learned_of_all(times: BatchTimes) -> None:
    for _ in range(100):
        times.learn(1, 3.0)
    assert [times.estimate(rows) for rows in (1, 2, 3, 4)] == pytest.approx([3, 6, 9, 12], rel=1e-3)
    for _ in range(100):
        times.learn(2, 1.0)
    assert times.estimate(4) == pytest.approx(2, rel=1e-3)


def test_of_what_nobody_expected_anything_nothing_is_learned() -> None:
    times = BatchTimes(2)
    times.learn(1, 8.0)
    assert times.estimate(1) == 0.0


def test_doubt_ends_at_a_quarter_of_the_fastest_batch_seen(times: BatchTimes) -> None:
    times.learn(4, 2.0)
    believed = times.estimate(4)
    times.doubt()
    assert times.estimate(4) == pytest.approx(0.9 * believed)
    for _ in range(100):
        times.doubt()
    assert [times.estimate(rows) for rows in (1, 2, 3, 4)] == [1 / 8, 2 / 8, 3 / 8, 4 / 8]
