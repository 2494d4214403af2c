"""What is kept of a run can be read again."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.report import keep, print_table, read_history, read_latest
from benchmarks.resnet_bundle import BUNDLE


def test_the_history_has_a_line_for_every_run_and_the_latest_figures_one_place_each(tmp_path: Path) -> None:
    latest, history = tmp_path / "new" / "latest.json", tmp_path / "other" / "history.jsonl"
    assert read_history(history) == []
    keep("efficiency", {"all": [1]}, {"v2 jpeg 8": 0.81234567}, latest=latest, history=history)
    keep("framework", {"all": [2]}, {"digits": 0.5}, latest=latest, history=history)
    keep("efficiency", {"all": [3]}, {"v2 jpeg 8": 0.9}, latest=latest, history=history)
    lines = read_history(history)
    assert [line["benchmark"] for line in lines] == ["efficiency", "framework", "efficiency"]
    assert [line["ratios"] for line in lines] == [{"v2 jpeg 8": 0.8123}, {"digits": 0.5}, {"v2 jpeg 8": 0.9}]
    assert all({"date", "commit", "machine"} <= line.keys() for line in lines)
    figures = json.loads(latest.read_text())
    assert {name: each["results"] for name, each in figures.items()} == {
        "efficiency": {"all": [3]},
        "framework": {"all": [2]},
    }


def test_a_run_says_what_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["-m", "benchmarks", "overload", "--seconds", "7"]
    monkeypatch.setattr(sys, "orig_argv", ["python", *command])
    latest, history = tmp_path / "latest.json", tmp_path / "history.jsonl"
    keep("overload", {}, {}, latest=latest, history=history)
    assert read_latest(latest)["overload"]["command"] == command
    assert read_history(history)[0]["command"] == command


def test_figures_of_another_bundle_say_so(tmp_path: Path) -> None:
    latest, history = tmp_path / "latest.json", tmp_path / "history.jsonl"
    for bundle in (BUNDLE, BUNDLE.resolve(), tmp_path / "digits"):
        keep("efficiency", {}, {"v2 jpeg 8": 0.5}, latest=latest, history=history, bundle=bundle)
    assert [line.get("bundle") for line in read_history(history)] == [None, None, str(tmp_path / "digits")]


def test_a_table_has_its_numbers_to_the_right_and_blanks_for_none(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(
        [
            {"door": "v2", "images/s": 123.456, "clients": 8, "p50": 9.5},
            {"door": "model", "images/s": 9.876, "clients": 32, "p50": None},
        ]
    )
    assert capsys.readouterr().out.splitlines() == [
        "door   images/s  clients   p50",
        "v2        123.5        8  9.50",
        "model      9.88       32",
        "",
    ]
    print_table([])
