"""Pictures of the latest figures, and of the history: what the server does over what the engine does."""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchmarks.report import HISTORY, LATEST, FiguresError, read_history, read_latest

FOLDER = Path("build/benchmarks")
FORMATS = ("png", "svg")
INK, FAINT = "#1b1b1b", "#d0d0d0"
COLOURS = colormaps["tab10"].colors  # type: ignore[attr-defined]
MARKS = "osD^v<>P*X"
DOTS_PER_INCH = 150
PANELS: dict[str, Callable[[str], bool]] = {
    "Serving efficiency": lambda name: name.split()[-1].isdecimal() and not name.startswith(("digits", "ours")),
    "CPU of an image, server over engine": lambda name: name.endswith(" CPU"),
    "Over other servers": lambda name: name.startswith("ours /") or name.endswith("/ ours"),
    "Goodput over the peak; digits over the empty framework": lambda name: name.startswith(("goodput", "digits")),
}
"""What is drawn of the history, by the ratios' names; the most runs each has, the sooner it is drawn."""
MOST_LINES = 10
LEAST_MARGIN = timedelta(minutes=10)
"""Beside the first and the last run: were there one alone, it would stand in the midst of four years."""
Line = tuple[Sequence[Any], Sequence[float]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is drawn, and where the pictures go."""
    for option, path, text in (
        ("--latest", LATEST, "the latest figures, of which efficiency is drawn"),
        ("--history", HISTORY, "the ratios of every run, which are drawn"),
    ):
        parser.add_argument(option, type=Path, default=path, metavar="FILE", help=f"{text} (default: {path})")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, metavar="FOLDER", help=f"where the pictures go (default: {FOLDER})"
    )


def run(options: argparse.Namespace) -> None:
    """Draw what there is.

    Raises:
        FiguresError: a file that was named is not there, or there is nothing to draw in either.
    """
    for path, usual in ((options.latest, LATEST), (options.history, HISTORY)):
        if path != usual and not path.exists():
            raise FiguresError(f"{path} is not there")
    latest = read_latest(options.latest)
    history = [made for made in read_history(options.history) if _is_drawn(made)]
    if not ("efficiency" in latest or history):
        raise FiguresError(
            f"there is nothing to draw in {options.latest} or {options.history}: "
            "python -m benchmarks efficiency measures it"
        )
    options.folder.mkdir(parents=True, exist_ok=True)
    figures = {"latest": draw_latest(latest["efficiency"])} if "efficiency" in latest else {}
    if history:
        figures["history"] = draw_history(history)
    for name, figure in figures.items():
        for form in FORMATS:
            path = options.folder / f"{name}.{form}"
            figure.savefig(path, dpi=DOTS_PER_INCH, bbox_inches="tight", pad_inches=0.2)
            print(path)


def draw_latest(made: Mapping[str, Any]) -> Figure:
    """Draw the efficiency and the latency by the number of clients, a line for each door and kind of image."""
    rows = made["results"]["server"]
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    machine = made["machine"]
    told = [f"{machine['cpu']}, {machine['cores']} CPUs", f"{made['commit']}, {made['date'][:10]}"]
    figure.suptitle("; ".join([made["bundle"], *told] if "bundle" in made else told), color=INK)
    efficiency, latency = figure.subplots(1, 2)
    _draw_lines(efficiency, _by_case(rows, "efficiency"))
    efficiency.set_title("Serving efficiency: images a second, server over engine", loc="left", fontsize=10)
    efficiency.axhline(1, color=INK, linewidth=0.8, linestyle="--")
    efficiency.set_ylim(bottom=0)  # which ends the automatic limits
    _draw_lines(latency, _by_case(rows, "p50_ms"))
    _draw_lines(latency, _by_case(rows, "p99_ms"), style=":", named=False)
    latency.set_title("Latency, ms: p50, and p99 dotted and hollow", loc="left", fontsize=10)
    latency.set_yscale("log")
    latency.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    latency.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    latency.yaxis.set_minor_locator(NullLocator())
    clients = sorted({row["clients"] for row in rows})
    for axes in (efficiency, latency):
        axes.set_xscale("log")
        axes.set_xticks(clients, [str(number) for number in clients])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("clients")
    efficiency.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


def draw_history(history: Iterable[Mapping[str, Any]]) -> Figure:
    """Draw how the ratios changed from run to run; one at least belongs to a panel."""
    lines: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    for made in history:
        for name, ratio in made["ratios"].items():
            lines[name].append((datetime.fromisoformat(made["date"]), ratio))
    panels = {title: names for title, belongs in PANELS.items() if (names := [name for name in lines if belongs(name)])}
    figure = Figure(figsize=(11, 3.2 * len(panels)), layout="constrained")
    for number, (title, names) in enumerate(panels.items()):
        axes = figure.add_subplot(len(panels), 1, number + 1)
        chosen = sorted(sorted(names, key=lambda name: -len(lines[name]))[:MOST_LINES], key=_in_order)
        _draw_lines(axes, {name: tuple(zip(*lines[name], strict=True)) for name in chosen})  # type: ignore[misc]
        axes.axhline(1, color=INK, linewidth=0.8, linestyle="--")
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_ylim(bottom=0)
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    dates = [date for line in lines.values() for date, _ in line]
    begin, end = min(dates), max(dates)
    margin = max((end - begin) / 20, LEAST_MARGIN)
    for axes in figure.axes:
        axes.set_xlim(begin - margin, end + margin)  # type: ignore[arg-type]
    return figure


def _is_drawn(made: Mapping[str, Any]) -> bool:
    """Tell whether a run has ratios that belong to a panel; those of another bundle than the ResNet-50 do not."""
    return "bundle" not in made and any(belongs(name) for name in made["ratios"] for belongs in PANELS.values())


def _in_order(name: str) -> list[str]:
    """Return what sorts names by their words, numbers by their size."""
    return [word.zfill(6) if word.isdecimal() else word for word in name.split()]


def _by_case(rows: Iterable[Mapping[str, Any]], figure: str) -> dict[str, Line]:
    """Return a figure by the number of clients, for each door and kind of image."""
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row in rows:
        found[f"{row['door']} {row['images']}"].append((row["clients"], row[figure]))
    return {name: tuple(zip(*sorted(points), strict=True)) for name, points in found.items()}  # type: ignore[misc]


def _draw_lines(axes: Axes, lines: Mapping[str, Line], style: str = "-", *, named: bool = True) -> None:
    for number, (name, (places, values)) in enumerate(lines.items()):
        axes.plot(
            places,
            values,
            linestyle=style,
            marker=MARKS[number % len(MARKS)],
            markersize=4.5,
            markerfacecolor="white" if style == ":" else None,
            linewidth=1.4,
            color=COLOURS[number % len(COLOURS)],
            label=name if named else None,
        )
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
