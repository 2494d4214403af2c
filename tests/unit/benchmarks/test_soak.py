"""Mixed requests get the statuses that they must, and memory is compared once it has settled."""

import contextlib
import os
from collections import Counter
from pathlib import Path

import pytest
from loads import make_load

from benchmarks import decks, mixture, servers, soak
from benchmarks.__main__ import main
from benchmarks.decks import read_deck
from benchmarks.framework import DIGITS
from benchmarks.load_client import PROGRAM
from benchmarks.mixture import Mixture, Pictures, mix_grpc, mix_http
from benchmarks.report import read_latest
from benchmarks.servers import Server, serve_ours
from benchmarks.soak import find_missing, find_unexpected, send_all, settle


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pictures:
    monkeypatch.setattr(decks, "DECKS", tmp_path)
    monkeypatch.setattr(servers, "LOGS", tmp_path)
    monkeypatch.setattr("benchmarks.photographs.INPUTS", tmp_path / "inputs")
    monkeypatch.setattr("benchmarks.photographs.LARGE_SIZE", (1000, 750))  # 12 megapixels take their time to make
    return Pictures()


def test_the_same_requests_come_in_every_run(pictures: Pictures) -> None:
    first, second = mix_http(100, pictures), mix_http(100, pictures)
    assert read_deck(first.deck) == read_deck(second.deck)
    assert first.expected == second.expected
    assert first.expected.total() == 100


@pytest.mark.skipif(not PROGRAM.exists(), reason="no load client: `make .tools/bin/load` builds it, with Go")
def test_the_server_gives_each_the_status_that_it_must_get(pictures: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixture, "LARGE", "digits")  # a ResNet-50 would take minutes to make
    with serve_ours([DIGITS]) as server:
        for each in (mix_http(600, pictures), mix_grpc(100, pictures)):
            load = send_all(each, server, clients=4)
            assert load.requests == each.expected.total()
            assert not find_unexpected(load, each), load.problems
            assert not find_missing(load, each)


MIXTURE = Mixture(decks.Deck(Path("none"), "http"), Counter({"200": 9, "400": 1}))


def test_a_status_that_comes_too_often_or_too_seldom_is_told() -> None:
    load = make_load(statuses={"200": 8, "500": 2})
    assert find_unexpected(load, MIXTURE) == {"500": 2}
    assert find_missing(load, MIXTURE) == {"200": 1, "400": 1}


def test_what_was_never_answered_is_missing() -> None:
    load = make_load(statuses={"200": 6, "400": 1})
    assert not find_unexpected(load, MIXTURE)
    assert find_missing(load, MIXTURE) == {"200": 3}


@pytest.mark.parametrize(
    ("statuses", "ends"), [({"200": 9, "400": 1}, 0), ({"200": 7, "400": 1}, 1), ({"200": 9, "400": 1, "500": 1}, 1)]
)
def test_it_fails_where_an_answer_was_wrong_or_missing_after_its_figures_are_kept(
    statuses: dict[str, int],
    ends: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("build_bundle", "print_machine", "Pictures"):
        monkeypatch.setattr(soak, name, lambda: None)
    for name in ("mix_http", "mix_grpc"):
        monkeypatch.setattr(soak, name, lambda *_: MIXTURE)
    monkeypatch.setattr("benchmarks.__main__.check_client", lambda: None)
    monkeypatch.setattr(soak, "serve_ours", lambda _: contextlib.nullcontext(Server("", "", os.getpid())))
    monkeypatch.setattr(soak, "send_all", lambda *_: make_load(statuses=statuses))
    latest, history = tmp_path / "latest.json", tmp_path / "history.jsonl"
    assert main(["soak", "--requests", "1", "--latest", str(latest), "--history", str(history)]) == ends
    assert read_latest(latest)["soak"]["results"]["samples"]
    told = capsys.readouterr().err
    assert told.startswith("benchmarks soak: statuses that came too often: " if ends else "")
    assert bool(told) is bool(ends)


def test_growth_counts_from_a_twentieth() -> None:
    samples = [100.0] * 5 + [200.0] * 90 + [210.0] * 5
    assert settle(samples) == (200.0, 210.0)
    assert soak.SETTLED == 1 / 20
