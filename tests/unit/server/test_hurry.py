"""How little time requests have."""

import math

from model_server.hurry import Hurry


def test_nobody_is_in_a_hurry_before_somebody_came() -> None:
    assert Hurry().least(5.0) == math.inf


def test_the_least_time_of_the_last_second_or_half_counts() -> None:
    hurry = Hurry()
    hurry.meet(3.0, 10.0)
    hurry.meet(8.0, 10.2)
    hurry.meet(6.0, 10.7)
    assert [hurry.least(at) for at in (10.7, 10.9, 11.1, 11.4)] == [3.0, 3.0, 6.0, 6.0]
    assert hurry.least(11.5) == math.inf


def test_after_a_pause_nobody_is_in_a_hurry() -> None:
    hurry = Hurry()
    hurry.meet(3.0, 10.0)
    assert hurry.least(13.0) == math.inf
    hurry.meet(8.0, 13.0)
    assert hurry.least(13.0) == 8.0
