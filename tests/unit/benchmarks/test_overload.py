"""Goodput is what was answered in time, over the peak of a closed loop."""

import pytest
from loads import make_load

from benchmarks.median import take_median
from benchmarks.overload import Point, best_in_time, most_in_time, ratios_of, to_point

BOUND = 100.0


def point(part: float, ok: int, p99: float) -> Point:
    return to_point(part, 100.0, make_load(ok, refused=10, latency={"ok": {"p50": 9.0, "p99": p99}}), BOUND)


def test_a_point_says_what_was_good_and_what_was_refused() -> None:
    found = to_point(2.0, 100.0, make_load(ok=150, refused=250, good=140), BOUND)
    assert (found.rate, found.goodput, found.goodput_ratio) == (200.0, 70.0, 0.7)
    assert found.refused_share == 0.625
    assert (found.admitted_p99_ms, found.refused_p99_ms) == (30.0, 30.0)


def test_where_nothing_was_refused_there_is_no_latency_of_refusals() -> None:
    found = to_point(0.5, 100.0, make_load(), BOUND)
    assert found.refused_p99_ms is None
    assert take_median([found, point(0.5, 80, 40.0), point(0.5, 80, 50.0)]).refused_p99_ms is None
    some = to_point(0.5, 100.0, make_load(refused=3), BOUND)
    assert take_median([found, some, found]).refused_p99_ms == 30.0


def test_the_best_in_time_is_no_overload_and_meets_the_bound() -> None:
    points = [point(0.8, 160, 60.0), point(0.9, 170, 99.0), point(1.0, 190, 120.0), point(2.0, 196, 90.0)]
    best = best_in_time(points, BOUND)
    assert best
    assert best.part == 0.9
    assert ratios_of(points, BOUND) == {"goodput in time": 0.85, "goodput at 2 x": 0.98}


def test_the_most_possible_is_what_queueing_theory_says() -> None:
    # a bound of one image is no queue at all: by Erlang's loss formula one server serves 1 / (1 + part) of what comes
    assert most_in_time(1.0, 1.0) == pytest.approx(1 / 2, abs=0.01)
    assert most_in_time(2.0, 1.0) == pytest.approx(2 / 3, abs=0.01)
    assert most_in_time(1.0, 0.9) == 0
    assert most_in_time(0.5, 100.0) == pytest.approx(0.5, abs=0.01)
    assert most_in_time(2.0, 100.0) == pytest.approx(1.0, abs=0.01)


def test_there_may_be_none() -> None:
    assert best_in_time([point(0.5, 100, 101.0)], BOUND) is None
    assert ratios_of([point(0.5, 100, 101.0)], BOUND) == {"goodput in time": 0.0}
