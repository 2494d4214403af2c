"""int8 through the door over torch is kept as the other ratios are."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from loads import make_load

from benchmarks import int8_over_torch
from benchmarks.report import read_history, read_latest
from benchmarks.servers import Server
from benchmarks.worker import Worker


class FakeTorch(Worker):
    """Does so many images a second, one number after the other."""

    def __init__(self, *rates: float) -> None:
        self.rates = iter(rates)
        self.asked: list[tuple[object, ...]] = []

    def ask(self, method: str, *arguments: object) -> float:
        self.asked.append((method, *arguments))
        return next(self.rates)


def test_the_median_of_each_rounds_ratio_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warm_up, served = 1.0, make_load(160)

    @contextlib.contextmanager
    def torch(_: type) -> Iterator[Worker]:
        yield FakeTorch(warm_up, 20.0, 40.0, 16.0)

    for name in ("check_client", "build_bundle", "print_machine", "make_deck", "read_manifest"):
        monkeypatch.setattr(int8_over_torch, name, lambda *_: Manifest)
    monkeypatch.setattr(int8_over_torch, "serve_ours", lambda *_: contextlib.nullcontext(Server("", "", 0)))
    monkeypatch.setattr(int8_over_torch, "send", lambda *_, **__: served)
    monkeypatch.setattr(int8_over_torch, "running_worker", torch)
    latest, history = tmp_path / "latest.json", tmp_path / "history.jsonl"
    assert int8_over_torch.main(["--rounds", "3", "--latest", str(latest), "--history", str(history)]) == 0
    (line,) = read_history(history)
    assert line["ratios"] == {"ours / torch float32": served.ok_per_second / 20}
    assert [row["ratio"] for row in read_latest(latest)["int8_over_torch"]["results"]] == [4.0, 2.0, 5.0]


class Manifest:
    """All that is read of it."""

    name = "resnet-50"
