"""What was measured is drawn, whatever of it there is."""

import argparse
import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.plot import MOST_LINES, draw_history, run
from benchmarks.report import FiguresError

MADE = {"date": "2026-11-28T01:00:00Z", "commit": "0123456789", "machine": {"cpu": "one", "cores": "2 of 2"}}


def row(door: str, clients: int) -> dict[str, object]:
    return {"door": door, "images": "jpeg", "clients": clients, "efficiency": 0.8, "p50_ms": 9.0, "p99_ms": 20.0}


def options(folder: Path) -> argparse.Namespace:
    return argparse.Namespace(latest=folder / "latest.json", history=folder / "history.jsonl", folder=folder / "plots")


def test_without_figures_there_is_nothing_to_draw(tmp_path: Path) -> None:
    for name in ("latest.json", "history.jsonl"):
        (tmp_path / name).write_text("{}" if name == "latest.json" else "")
    with pytest.raises(FiguresError, match=r"latest\.json or .*history\.jsonl: python -m benchmarks efficiency"):
        run(options(tmp_path))
    assert not (tmp_path / "plots").exists()


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FiguresError, match=r"latest\.json is not there"):
        run(options(tmp_path))


def test_the_latest_figures_and_the_history_are_drawn(tmp_path: Path) -> None:
    rows = [row(door, clients) for door in ("v2", "grpc") for clients in (1, 8, 32)]
    figures = {"efficiency": {**MADE, "results": {"server": rows}}}
    (tmp_path / "latest.json").write_text(json.dumps(figures))
    ratios = {"v2 jpeg 8": 0.8, "v2 jpeg 8 CPU": 1.1, "digits v2 32": 0.4, "goodput at 2 x": 0.9}
    lines = [{**MADE, "benchmark": "efficiency", "ratios": ratios}, {**MADE, "benchmark": "soak", "ratios": {}}]
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run(options(tmp_path))
    for name in ("latest", "history"):
        with Image.open(tmp_path / "plots" / f"{name}.png") as picture:
            assert picture.width > 1000
        assert (tmp_path / "plots" / f"{name}.svg").read_text().count("<svg") == 1


@pytest.mark.parametrize("other", [{"ratios": {"growth": 1.0}}, {"bundle": "models/1", "ratios": {"v2 jpeg 8": 0.5}}])
def test_a_history_of_nothing_that_is_drawn_is_nothing_to_draw(tmp_path: Path, other: dict[str, object]) -> None:
    (tmp_path / "latest.json").write_text("{}")
    (tmp_path / "history.jsonl").write_text(json.dumps({**MADE, "benchmark": "efficiency", **other}) + "\n")
    with pytest.raises(FiguresError, match="there is nothing to draw"):
        run(options(tmp_path))


def test_all_panels_have_the_same_time_even_where_there_is_one_run() -> None:
    one = {**MADE, "ratios": {"v2 jpeg 8": 0.8}}
    limits = {axes.get_xlim() for axes in draw_history([one]).axes}
    assert len(limits) == 1
    ((begin, end),) = limits
    assert end - begin < 1, "days"


def test_what_compares_servers_has_a_panel_of_its_own() -> None:
    """Its ratios are many times those of the efficiency."""
    ratios = {"v2 jpeg 8": 0.8, "ours / newcomer at 8": 7.0, "12 megapixels, Pillow in full / ours": 3.0}
    panels = {axes.get_title(loc="left"): axes.get_legend() for axes in draw_history([{**MADE, "ratios": ratios}]).axes}
    assert all(panels.values()), "an empty panel"
    drawn = {title: [text.get_text() for text in legend.get_texts()] for title, legend in panels.items() if legend}
    assert drawn == {
        "Serving efficiency": ["v2 jpeg 8"],
        "Over other servers": ["12 megapixels, Pillow in full / ours", "ours / newcomer at 8"],
    }


def test_a_panel_has_the_ratios_that_have_the_most_runs() -> None:
    names = [f"v2 jpeg {number}" for number in range(1, 15)]
    once = [{**MADE, "ratios": dict.fromkeys(names, 0.8)}]
    often = [{**MADE, "ratios": {"v2 jpeg 14": 0.8}}] * 2
    axes = draw_history([*once, *often]).axes[0]
    legend = axes.get_legend()
    assert legend
    drawn = [text.get_text() for text in legend.get_texts()]
    assert len(drawn) == MOST_LINES
    assert drawn[-1] == "v2 jpeg 14"
    assert drawn[:2] == ["v2 jpeg 1", "v2 jpeg 2"]
