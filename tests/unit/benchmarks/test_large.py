"""With 12 megapixels, the peers' time is over ours."""

from benchmarks.contenders import OURS, Contender
from benchmarks.large import DRAFT, FULL, Times, ratios_of, rows_of
from benchmarks.peers.peer import BENTOML

PEER = Contender(BENTOML, 1, 1)


def times(mine: float, full: float) -> Times:
    return {"ours": (OURS, mine), FULL: (PEER, full), DRAFT: (PEER, 60.0)}


def test_ratios_are_of_each_round_and_then_their_median() -> None:
    rounds = [times(40.0, 160.0), times(30.0, 180.0), times(40.0, 200.0)]
    assert ratios_of(rounds) == {"12 megapixels, Pillow in full / ours": 5.0, "12 megapixels, Pillow draft / ours": 1.5}


def test_a_row_is_the_median_of_the_rounds() -> None:
    rounds = [times(40.0, 160.0), times(30.0, 180.0), times(36.0, 200.0)]
    assert [(row["decoded by"], row["p50 ms"]) for row in rows_of(rounds)] == [
        ("ours", 36.0),
        (FULL, 180.0),
        (DRAFT, 60.0),
    ]


def test_without_ours_there_is_no_ratio() -> None:
    assert ratios_of([{FULL: (PEER, 160.0)}]) == {}
    assert rows_of([]) == []
