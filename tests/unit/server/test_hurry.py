"""How little time requests have."""

import math

from model_server.hurry import PAUSE_SECONDS, Hurry


def test_nobody_is_in_a_hurry_before_somebody_came() -> None:
    assert Hurry().least(5.0) == math.inf


def test_the_least_time_counts_until_none_in_such_a_hurry_came_for_a_while() -> None:
    hurry = Hurry()
    hurry.meet(3.0, 10.0)
    hurry.meet(8.0, 10.5)
    assert hurry.least(10.0 + PAUSE_SECONDS) == 3.0
    assert hurry.least(10.1 + PAUSE_SECONDS) == math.inf
    hurry.meet(8.0, 12.0)
    hurry.meet(2.0, 12.5)
    assert [hurry.least(12.5 + PAUSE_SECONDS), hurry.least(13.6 + PAUSE_SECONDS)] == [2.0, math.inf]
