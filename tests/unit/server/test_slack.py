"""What is learned from the answers that came in time, and from those that did not."""

import random

import pytest

from model_server.slack import LATE_SHARE, MOST, PAUSE_SECONDS, STEP, Slack


def test_nothing_is_added_before_anything_came_late() -> None:
    slack = Slack()
    slack.learn(9.0, 0.0, 10.0, 10.0)
    assert slack.stretch(2.0) == 2.0


def test_an_answer_that_comes_late_makes_the_next_be_foreseen_later_up_to_a_limit() -> None:
    slack = Slack()
    slack.learn(9.0, 0.0, 10.1, 10.0)
    assert slack.stretch(2.0) == 2.0 * (1 + STEP)
    for begin in range(100, 10_000, 100):
        slack.learn(9.0, begin, begin + 11, begin + 10)
    assert slack.stretch(1.0) == MOST


def test_what_was_admitted_before_the_first_came_late_counts_once() -> None:
    slack = Slack()
    for count in range(10):
        slack.learn(9.0, count, 20.0 + count, 10.0 + count)
    assert slack.stretch(1.0) == 1 + STEP


@pytest.mark.parametrize("answered_at", [24.0, 31.0])
def test_an_answer_foreseen_with_more_than_half_of_its_time_left_says_nothing(answered_at: float) -> None:
    slack = Slack()
    slack.learn(9.0, 0.0, 11.0, 10.0)
    slack.learn(4.5, 20.0, answered_at, 30.0)  # stretched 4.95 of 10
    assert slack.stretch(1.0) == 1 + STEP
    slack.learn(4.6, 20.0, answered_at, 30.0)
    assert slack.stretch(1.0) != 1 + STEP


def test_it_shrinks_from_its_limit_where_all_come_in_time() -> None:
    """They take a fourth of their time then, for they were foreseen to take four times as long."""
    slack = Slack()
    for begin in range(0, 10_000, 100):
        slack.learn(9.0, begin, begin + 11, begin + 10)
    for begin in range(10_000, 20_000):
        slack.learn(10 / slack.stretch(1.0), begin, begin + 2.5, begin + 10)
    assert slack.stretch(1.0) == 1.0


def test_it_comes_to_rest_where_as_many_come_late_as_may() -> None:
    numbers, slack, late, count = random.Random(0), Slack(), 0, 0
    for number in range(60_000):
        foreseen = 0.5 / slack.stretch(1.0)  # as much as is admitted
        taken = min(foreseen * numbers.lognormvariate(0, 0.2), 0.9)
        slack.learn(foreseen, number, number + taken, number + 0.5)
        if number >= 10_000:
            late += taken > 0.5
            count += 1
    assert late / count == pytest.approx(LATE_SHARE, rel=0.2)


def test_doubt_takes_it_away_in_the_end_where_no_answer_says_anything() -> None:
    slack = Slack()
    for begin in range(0, 1000, 100):
        slack.learn(9.0, begin, begin + 11, begin + 10)
    before = slack.stretch(1.0)
    slack.doubt(911.0 + PAUSE_SECONDS)
    assert slack.stretch(1.0) == before
    slack.doubt(911.1 + PAUSE_SECONDS)
    assert slack.stretch(1.0) == pytest.approx(0.99 * before)
    for _ in range(200):
        slack.doubt(1000.0)
    assert slack.stretch(1.0) == 1.0
