"""Each peer counts by what is its best over the rounds for each number of clients, and ours by each round's ratio."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import pytest
from loads import make_load

from benchmarks import comparison
from benchmarks.comparison import (
    Measurement,
    Round,
    candidates,
    choose_best,
    has_all,
    keep_best,
    measure_round,
    rates_of,
    ratios_of,
    say_ratio,
    take_medians,
    to_measurement,
)
from benchmarks.contenders import OURS, Contender
from benchmarks.efficiency import Served
from benchmarks.engine import Engine, EngineFigures, Way
from benchmarks.peers.peer import BENTOML, LITSERVE, NEWCOMER

NARROW, WIDE = Contender(LITSERVE, 2, 1), Contender(LITSERVE, 1, 8)
OTHER = Contender(BENTOML, 1, 8)
BARE = EngineFigures(Way(2, 8), 100.0, 20.0, 10.0)
SERVED = Served(make_load(160), 1, server_cpu_ms=25.0, client_cpu_share=0.02, memory_mib=300.0, peak_mib=None)


def measured(contender: Contender, clients: int, rate: float) -> Measurement:
    return Measurement(contender.name, contender.configuration, clients, rate, 0.5, 20.0, 1.5, 10.0, 30.0, 0.0, 300.0)


def ratios(rounds: Sequence[Round]) -> dict[str, list[float]]:
    """Return the ratios of rounds whose peers have one configuration each."""
    return ratios_of(rounds, take_medians(rounds))


def test_the_best_configuration_depends_on_the_number_of_clients() -> None:
    best = choose_best({WIDE: {1: 60.0, 32: 105.0}, NARROW: {1: 70.0, 32: 90.0}, OTHER: {1: 80.0, 32: 88.0}})
    assert best == {"LitServe": {1: NARROW, 32: WIDE}, "BentoML": {1: OTHER, 32: OTHER}}
    assert candidates(best) == [NARROW, WIDE, OTHER]


class FakeEngine(Engine):
    def __init__(self) -> None:
        self.measured: list[float] = []

    def measure(self, seconds: float) -> EngineFigures:
        self.measured.append(seconds)
        return BARE


def test_a_round_has_every_candidate_with_every_number_of_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(contender: Contender, _: str, clients: Sequence[int], __: float) -> dict[int, Served]:
        return dict.fromkeys(clients, SERVED) if contender != OTHER else {}

    monkeypatch.setattr(comparison, "measure", measure)
    engine = FakeEngine()
    bare, found = measure_round(engine, [NARROW, WIDE, OTHER], [1, 8], 2.0)
    assert (bare, engine.measured) == (BARE, [2.0, 2.0])
    assert [each.case for each in found] == [
        (each.name, each.configuration, clients)
        for each in (OURS, NARROW, WIDE, Contender(NEWCOMER))
        for clients in (1, 8)
    ]


def test_after_the_rounds_the_best_median_is_kept() -> None:
    narrow, wide = (50.0, 90.0, 60.0), (70.0, 40.0, 80.0)
    rounds = [
        [measured(OURS, 8, 100.0), measured(NARROW, 8, one), measured(WIDE, 8, other), measured(OTHER, 8, 30.0)]
        for one, other in zip(narrow, wide, strict=True)
    ]
    medians = take_medians(rounds)
    best = choose_best(rates_of(medians, [NARROW, WIDE, OTHER]))
    assert best == {"LitServe": {8: WIDE}, "BentoML": {8: OTHER}}
    kept = keep_best(medians, best)
    assert [(each.name, each.configuration) for each in kept] == [
        (each.name, each.configuration) for each in (OURS, WIDE, OTHER)
    ]
    assert ratios_of(rounds, kept) == {"ours / best peer at 8": [100 / rate for rate in wide]}


def test_a_contender_says_how_it_is_configured() -> None:
    assert str(NARROW) == "LitServe, 2 workers of 1"
    assert str(replace(WIDE, draft=True)) == "LitServe, 1 worker of 8, draft"
    assert str(OURS) == "ours"


def test_figures_are_over_the_engine() -> None:
    found = to_measurement(WIDE, 8, SERVED, BARE)
    assert (found.requests_per_second, found.efficiency, found.cpu_ratio) == (80.0, 0.8, 1.25)
    assert (found.p50_ms, found.p99_ms, found.refused_share) == (15.0, 30.0, 0.0)
    assert found.memory_mib == 300.0


def test_ratios_are_of_each_round() -> None:
    newcomer = Contender(NEWCOMER)
    rounds = [
        [measured(OURS, 8, mine), measured(WIDE, 8, peer), measured(OTHER, 8, 50.0), measured(newcomer, 8, 10.0)]
        for mine, peer in ((120.0, 100.0), (60.0, 40.0), (130.0, 100.0))
    ]
    found = ratios(rounds)
    assert {name: median(each) for name, each in found.items()} == pytest.approx(
        {"ours / best peer at 8": 1.3, "ours / newcomer at 8": 12.0}
    )
    assert found["ours / best peer at 8"] == [1.2, 1.5, 1.3], "over the one with the best median, not each round's"
    assert say_ratio(found["ours / best peer at 8"], len(rounds)) == "1.30"


def test_a_round_in_which_a_peer_failed_has_no_ratio_and_how_many_there_are_is_said() -> None:
    whole = [measured(OURS, 1, 90.0), measured(OTHER, 1, 60.0), measured(WIDE, 1, 45.0)]
    without_the_best = [each for each in whole if each.name != OTHER.name]
    without_ours = [each for each in whole if each.name != OURS.name]
    found = ratios([without_the_best, whole, without_ours])
    assert found == {"ours / best peer at 1": [1.5]}
    assert say_ratio(found["ours / best peer at 1"], 3) == "1.50, of 1 of 3 rounds"
    assert [has_all(each, [OURS, OTHER, WIDE]) for each in (without_the_best, whole, without_ours)] == [
        False,
        True,
        False,
    ]
    assert ratios([without_ours]) == {}
    (none,) = ratios([without_the_best, without_ours]).values()
    assert say_ratio(none, 2) == "none: in none of 2 rounds was everything measured"


def test_medians_are_of_the_rounds_that_have_a_contender() -> None:
    rounds = [[measured(OTHER, 1, 60.0), measured(OTHER, 8, 9.0)], [measured(OTHER, 1, 80.0)]]
    assert [each.requests_per_second for each in take_medians(rounds)] == [70.0, 9.0]
