"""What is kept of a run: a table on the terminal, the latest figures as JSON, and a line of the history."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine, read_commit
from benchmarks.resnet_bundle import BUNDLE


class FiguresError(Exception):
    """A file does not hold the figures that it should."""


LATEST, HISTORY = Path("build/benchmarks/latest.json"), Path("build/benchmarks/history.jsonl")


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows under the names of their columns; numbers to the right, fractions in three digits, None as nothing."""
    if not rows:
        return
    cells = [list(rows[0]), *([_write(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numbers = [not isinstance(value, str) for value in rows[0].values()]
    for line in cells:
        parts = zip(line, widths, numbers, strict=True)
        print("  ".join(cell.rjust(width) if number else cell.ljust(width) for cell, width, number in parts).rstrip())
    print(flush=True)


def keep(
    benchmark: str,
    results: Any,
    ratios: Mapping[str, float],
    *,
    latest: Path = LATEST,
    history: Path = HISTORY,
    bundle: Path = BUNDLE,
) -> None:
    """Write a benchmark's results into the latest figures, in the place of its former ones, and add to the history.

    Both say which command it was, and which bundle was served, where it was another than the ResNet-50.

    Args:
        benchmark: Its name.
        results: Everything that it measured, as JSON has it.
        ratios: What can be compared between machines, by name.
        latest: The file of the latest figures.
        history: The file that has a line for every run.
        bundle: What was served.
    """
    made: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": read_commit(),
        "command": sys.orig_argv[1:],
        "machine": describe_machine(),
    }
    if bundle.resolve() != BUNDLE.resolve():
        made["bundle"] = str(bundle)
    for path in (latest, history):
        path.parent.mkdir(parents=True, exist_ok=True)
    figures = read_latest(latest)
    figures[benchmark] = {**made, "results": results}
    latest.write_text(json.dumps(figures, indent=2) + "\n")
    rounded = {name: round(ratio, 4) for name, ratio in ratios.items()}
    with history.open("a") as file:
        file.write(json.dumps({**made, "benchmark": benchmark, "ratios": rounded}) + "\n")


def read_latest(latest: Path = LATEST) -> dict[str, Any]:
    """Return the latest figures of each benchmark; nothing where there is no such file.

    Raises:
        FiguresError: it holds something else, or can't be read.
    """
    (figures,) = _read_objects(latest, whole=True) or [{}]
    return figures


def read_history(history: Path = HISTORY) -> list[dict[str, Any]]:
    """Return every line of the history; none where there is no such file.

    Raises:
        FiguresError: it holds something else, or can't be read.
    """
    found = _read_objects(history, whole=False)
    if not all(isinstance(made.get("ratios"), dict) for made in found):
        raise FiguresError(f"{history} is no history: every run has its ratios")
    return found


def _read_objects(path: Path, *, whole: bool) -> list[dict[str, Any]]:
    """Return the JSON objects of a file: the whole of it is one, or each line."""
    if not path.exists():
        return []
    try:
        text = path.read_text()
        found = [json.loads(part) for part in ([text] if whole else text.splitlines())]
    except (OSError, ValueError) as error:
        raise FiguresError(f"{path} is no file of figures: {error}") from error
    if not all(isinstance(each, dict) for each in found):
        raise FiguresError(f"{path} is no file of figures: they are JSON objects, by benchmark or by run")
    return found


def _write(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
