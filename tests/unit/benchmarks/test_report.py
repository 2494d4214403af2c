"""What is kept of a run can be read again."""

import json
from pathlib import Path

import pytest

from benchmarks.report import keep, print_table, read_history


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
