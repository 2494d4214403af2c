"""Each peer counts by its best configuration for each number of clients, and ours by the ratio of each round."""

from dataclasses import replace

import pytest
from loads import make_load

from benchmarks.comparison import Measurement, choose_best, ratios_of, take_medians, to_measurement
from benchmarks.contenders import OURS, Contender
from benchmarks.efficiency import Served
from benchmarks.engine import EngineFigures, Way
from benchmarks.peers.peer import BENTOML, LITSERVE, NEWCOMER

NARROW, WIDE = Contender(LITSERVE, 2, 1), Contender(LITSERVE, 1, 8)
OTHER = Contender(BENTOML, 1, 8)


def measured(contender: Contender, clients: int, rate: float) -> Measurement:
    return Measurement(contender.name, contender.configuration, clients, rate, 0.5, 20.0, 1.5, 10.0, 30.0, 0.0)


def test_the_best_configuration_depends_on_the_number_of_clients() -> None:
    best = choose_best({WIDE: {1: 60.0, 32: 105.0}, NARROW: {1: 70.0, 32: 90.0}, OTHER: {1: 80.0, 32: 88.0}})
    assert best == {"LitServe": {1: NARROW, 32: WIDE}, "BentoML": {1: OTHER, 32: OTHER}}


def test_a_contender_says_how_it_is_configured() -> None:
    assert str(NARROW) == "LitServe, 2 workers of 1"
    assert str(replace(WIDE, draft=True)) == "LitServe, 1 worker of 8, draft"
    assert str(OURS) == "ours"


def test_figures_are_over_the_engine() -> None:
    served = Served(make_load(160), 1, server_cpu_ms=25.0, client_cpu_share=0.02, memory_mib=300.0)
    found = to_measurement(WIDE, 8, served, EngineFigures(Way(2, 8), 100.0, 20.0, 10.0))
    assert (found.requests_per_second, found.efficiency, found.cpu_ratio) == (80.0, 0.8, 1.25)
    assert (found.p50_ms, found.p99_ms, found.refused_share) == (15.0, 30.0, 0.0)


def test_ratios_are_of_each_round_and_then_their_median() -> None:
    newcomer = Contender(NEWCOMER)
    rounds = [
        [measured(OURS, 8, mine), measured(WIDE, 8, peer), measured(OTHER, 8, 50.0), measured(newcomer, 8, 10.0)]
        for mine, peer in ((120.0, 100.0), (60.0, 40.0), (130.0, 100.0))
    ]
    assert ratios_of(rounds) == pytest.approx({"ours / best peer at 8": 1.2, "ours / newcomer at 8": 12.0})


def test_what_failed_in_a_round_has_no_ratio_there() -> None:
    rounds = [[measured(OURS, 1, 90.0)], [measured(OURS, 1, 90.0), measured(OTHER, 1, 60.0)]]
    assert ratios_of(rounds) == {"ours / best peer at 1": 1.5}
    assert ratios_of([[measured(OTHER, 1, 60.0)]]) == {}


def test_medians_are_of_the_rounds_that_have_a_contender() -> None:
    rounds = [[measured(OTHER, 1, 60.0), measured(OTHER, 8, 9.0)], [measured(OTHER, 1, 80.0)]]
    assert [each.requests_per_second for each in take_medians(rounds)] == [70.0, 9.0]
