"""Serving efficiency is the server's rate over the engine's, and its figures are medians."""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_servers import http_server
from loads import make_load

from benchmarks import decks
from benchmarks.decks import http_request, write_deck
from benchmarks.efficiency import Served, _measurement, load_server, ratios_of
from benchmarks.engine import EngineFigures, Way
from benchmarks.load_client import PROGRAM
from benchmarks.median import take_median
from benchmarks.servers import Server

BARE = EngineFigures(Way(2, 8), images_per_second=100.0, cpu_ms=20.0, single_ms=10.0)


def served(answers: int, images: int) -> Served:
    return Served(
        make_load(answers), images, server_cpu_ms=25.0, client_cpu_share=0.02, memory_mib=300.0, peak_mib=400.0
    )


def test_the_ratios_are_over_the_engine() -> None:
    found = _measurement("v2", "jpeg", 8, BARE, served(160, 1))
    assert found.images_per_second == 80.0
    assert (found.efficiency, found.cpu_ratio, found.p50_ratio) == (0.8, 1.25, 1.5)
    assert ratios_of([found]) == {"v2 jpeg 8": 0.8, "v2 jpeg 8 CPU": 1.25}


def test_a_request_of_eight_counts_as_eight_images() -> None:
    assert _measurement("v2", "batch", 1, BARE, served(20, 8)).efficiency == 0.8


def test_the_engine_counts_as_the_mean_of_before_and_after() -> None:
    mean = BARE.mean(EngineFigures(Way(2, 8), images_per_second=110.0, cpu_ms=22.0, single_ms=12.0))
    assert mean == EngineFigures(Way(2, 8), images_per_second=105.0, cpu_ms=21.0, single_ms=11.0)


def test_every_figure_is_the_median_of_the_rounds() -> None:
    rounds = [_measurement("v2", "jpeg", 1, BARE, served(answers, 1)) for answers in (100, 180, 160)]
    median = take_median(rounds)
    assert (median.images_per_second, median.clients) == (80.0, 1)
    assert (median.memory_mib, median.peak_mib) == (300.0, 400.0)
    assert ratios_of([median])["v2 jpeg 1 p50"] == 1.5


@contextlib.contextmanager
def working() -> Iterator[None]:
    """Use a CPU: a few requests alone may take less than the ten milliseconds in which it is counted."""
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            sum(range(1000))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.skipif(not PROGRAM.exists(), reason="no load client: `make .tools/bin/load` builds it, with Go")
def test_a_load_tells_what_the_server_used_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decks, "DECKS", tmp_path)
    deck = write_deck("requests", [http_request("/ok", b"body")])
    with http_server() as (target, _), working():
        server = Server(target, "", os.getpid())
        found = load_server(server, deck, clients=2, seconds=0.3, warm_up=0.1)
        assert found.server_cpu_ms > 0
        assert found.memory_mib > 1
        assert (found.peak_mib is None) is not server.reset_peak()
        assert found.peak_mib is None or found.peak_mib > 0.9 * found.memory_mib
