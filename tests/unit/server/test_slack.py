"""What is learned from how late answers came."""

import random

import pytest

from model_server.slack import Slack


def learn(slack: Slack, lates: list[float]) -> float:
    """Learn answers that took so much longer than the two seconds foreseen; return what is added to one second."""
    for late in lates:
        slack.learn(2.0, 2.0 * (1 + late))
    return slack.stretch(1.0) - 1.0


def test_nothing_is_added_before_anything_came_late() -> None:
    slack = Slack()
    slack.learn(0.0, 1.0)  # nothing was foreseen
    assert slack.stretch(2.0) == 2.0


def test_what_always_comes_so_late_is_foreseen() -> None:
    assert learn(Slack(), [0.01] * 200) == pytest.approx(0.01, rel=1e-3)


def test_what_comes_sooner_than_foreseen_is_no_reason_to_promise_it_sooner() -> None:
    assert learn(Slack(), [-0.01] * 200) == 0.0


def test_nearly_every_answer_is_within_it() -> None:
    numbers = random.Random(0)
    slack, beyond = Slack(), 0
    for count in range(5000):
        late = numbers.gauss(0.05, 0.02)
        beyond += count >= 100 and 1 + late > slack.stretch(1.0)
        slack.learn(1.0, 1 + late)
    assert 0 < beyond < 50


def test_doubt_takes_it_away_in_the_end() -> None:
    slack = Slack()
    before = learn(slack, [0.5, 0.1])
    slack.doubt()
    assert slack.stretch(1.0) - 1.0 == pytest.approx(0.9 * before)
