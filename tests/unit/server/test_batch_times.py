"""What is expected of batches, and how far one measurement may change it."""

import math

import pytest

from model_server.batch_times import BatchTimes


@pytest.fixture
def times() -> BatchTimes:
    """A batch of n images takes n seconds, up to 4."""
    times = BatchTimes(4)
    times.expect([0.0, 1.0, 2.0, 3.0, 4.0])
    return times


@pytest.mark.parametrize(("largest", "seconds"), [(1, [0.0, 5.0]), (2, [0.0, 1.0, 5.0]), (3, [0.0, 1.0, 3.0, 5.0])])
def test_sizes_between_one_and_a_full_batch_lie_on_a_line(largest: int, seconds: list[float]) -> None:
    times = BatchTimes(largest)
    times.expect_between(seconds[1], seconds[largest])
    assert [times.estimate(rows) for rows in range(largest + 1)] == seconds


@pytest.mark.parametrize(
    ("seconds", "plans"),
    [
        ([0.0, 1.0, 1.8, 2.6, 3.4], {7.0: 4, 6.8: 4, 6.7: 3, 3.6: 2, 3.5: 1, 0.5: 1, -1.0: 1}),
        ([0.0, 1.0, 2.0, 3.0, 4.0], {100.0: 1}),  # a batch wins nothing
        ([0.0, 1.02, 2.02, 3.02, 4.02], {100.0: 2, 4.0: 1}),  # the second wins a hundredth, the others less
        ([0.0, 1.0, 1.1, 1.2, 1.3], {1.3: 3, 1.2: 3, 1.1: 2, 1.0: 1}),  # so much that it may take all of the time
        ([0.0, 0.0, 0.0, 0.0, 0.0], {100.0: 4}),  # nothing is known of it
    ],
)
def test_batches_are_as_large_as_pays_within_half_of_the_time(
    times: BatchTimes, seconds: list[float], plans: dict[float, int]
) -> None:
    times.expect(seconds)
    assert {within: times.plan(within, math.inf) for within in plans} == plans


@pytest.mark.parametrize(
    ("seconds", "others", "size"),
    [
        ([0.0, 1.0, 1.9, 2.8, 3.7], 100.0, 3),
        ([0.0, 1.0, 1.9, 2.8, 3.7], 3.8, 2),
        ([0.0, 1.0, 1.9, 2.8, 3.7], 0.1, 1),  # an image takes 8 hundredths more
        ([0.0, 1.0, 1.4, 1.8, 2.2], 0.1, 3),  # two would take 27 hundredths more each
    ],
)
def test_who_is_patient_makes_way_for_those_in_a_hurry_but_not_at_any_price(
    times: BatchTimes, seconds: list[float], others: float, size: int
) -> None:
    times.expect(seconds)
    assert times.plan(100.0, others) == size


@pytest.mark.parametrize(
    ("lefts", "others", "size"),
    [
        ([(9.0, 9.0), (9.0, 9.0)], 100.0, 4),
        ([(9.0, 9.0), (9.0, 9.0)], 5.2, 3),
        ([(2.0, 9.0), (9.0, 9.0)], 100.0, 2),  # there is no time for more
        ([(1.5, 9.0)], 100.0, 1),
        ([(9.0, 3.6)], 100.0, 2),  # planned when it came
        ([(0.5, 9.0), (9.0, 9.0), (2.0, 9.0)], 100.0, 2),  # the first is late whatever is done
        ([(0.5, 9.0), (0.9, 9.0)], 100.0, 4),
        ([(0.5, 9.0), (0.9, 9.0)], 4.0, 2),
        ([(-3.0, 9.0), (1.0, 9.0)], 100.0, 1),
    ],
)
def test_as_many_run_as_suits_the_first_that_can_be_in_time(
    times: BatchTimes, lefts: list[tuple[float, float]], others: float, size: int
) -> None:
    times.expect([0.0, 1.0, 1.8, 2.6, 3.4])
    assert times.size_for([(100 + left, seconds) for left, seconds in lefts], 100, others) == size


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
