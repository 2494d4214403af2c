"""The bare engine is measured in the way that is its best."""

from pathlib import Path

import pytest
from bundles import write_colour_bundle

from benchmarks import engine
from benchmarks.engine import BareEngine, Engine, EngineFigures, Way
from benchmarks.worker import Worker, WorkerError

FIGURES = EngineFigures(Way(2, 1), images_per_second=9.0, cpu_ms=1.0, single_ms=1.0)


class FakeWorker(Worker):
    """Knows which way is the fastest."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def ask(self, method: str, *arguments: object) -> object:
        self.asked.append((method, *arguments))
        return {Way(1, 1): 5.0, Way(2, 1): 9.0, Way(2, 8): 8.0} if method == "try_all" else FIGURES


def test_the_best_way_is_found_once_and_measured_from_then_on() -> None:
    worker = FakeWorker()
    found = Engine(worker)
    assert [found.measure(2.0), found.measure(2.0)] == [FIGURES, FIGURES]
    assert worker.asked == [("try_all", 1.0), ("measure", Way(2, 1), 2.0), ("measure", Way(2, 1), 2.0)]


def test_the_engine_itself_counts_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WARM_UP_SECONDS", 0.1)
    monkeypatch.setattr(engine, "PHOTOGRAPHS", 8)
    monkeypatch.setattr("benchmarks.photographs.INPUTS", tmp_path / "inputs")
    bare = BareEngine(write_colour_bundle(tmp_path / "colours"))
    ways = bare.try_all(0.1)
    assert {way.batch for way in ways} == {1, 8}
    assert all(images_per_second > 0 for images_per_second in ways.values())
    with pytest.raises(WorkerError, match=r"no batch ended within 1e-09 s; measure for longer, --seconds"):
        bare.try_all(1e-9)
    figures = bare.measure(Way(1, 8), 0.1)
    assert figures.cpu_ms > 0
    assert figures.single_ms > 0
    assert str(figures.way) == "1 stream of 8"
