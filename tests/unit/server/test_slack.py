"""What is learned from the answers that came in time, and from those that did not."""

import random

import pytest

from model_server.slack import LATE_SHARE, MOST, STEP, Slack


def test_nothing_is_added_before_anything_came_late() -> None:
    slack = Slack()
    slack.learn(0.0, 10.0, 10.0)
    assert slack.stretch(2.0) == 2.0


def test_an_answer_that_comes_late_makes_the_next_be_foreseen_later_up_to_a_limit() -> None:
    slack = Slack()
    slack.learn(0.0, 10.1, 10.0)
    assert slack.stretch(2.0) == 2.0 * (1 + STEP)
    for begin in range(100, 10_000, 100):
        slack.learn(begin, begin + 11, begin + 10)
    assert slack.stretch(1.0) == MOST


def test_what_was_admitted_before_the_first_came_late_counts_once() -> None:
    slack = Slack()
    for count in range(10):
        slack.learn(count, 20.0 + count, 10.0 + count)
    assert slack.stretch(1.0) == 1 + STEP


def test_an_answer_with_more_than_half_of_its_time_left_says_nothing() -> None:
    slack = Slack()
    slack.learn(0.0, 11.0, 10.0)
    slack.learn(20.0, 24.9, 30.0)
    assert slack.stretch(1.0) == 1 + STEP
    slack.learn(20.0, 25.0, 30.0)
    assert slack.stretch(1.0) < 1 + STEP


def test_it_comes_to_rest_where_as_many_come_late_as_may() -> None:
    numbers, slack, late, count = random.Random(0), Slack(), 0, 0
    for number in range(60_000):
        needed = numbers.lognormvariate(0, 0.2) / slack.stretch(1.0)  # of the time that there is
        slack.learn(number, number + min(needed, 1.9) * 0.5, number + 0.5)
        if number >= 10_000 and needed >= 0.5:
            late += needed > 1
            count += 1
    assert late / count == pytest.approx(LATE_SHARE, rel=0.4)


def test_doubt_takes_it_away_in_the_end() -> None:
    slack = Slack()
    for begin in range(0, 1000, 100):
        slack.learn(begin, begin + 11, begin + 10)
    before = slack.stretch(1.0)
    slack.doubt()
    assert slack.stretch(1.0) == pytest.approx(0.9 * before)
    for _ in range(20):
        slack.doubt()
    assert slack.stretch(1.0) == 1.0
