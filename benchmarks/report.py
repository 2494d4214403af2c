"""What is kept of a run: a table on the terminal, the latest figures as JSON, and a line of the history."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine, read_commit

LATEST, HISTORY = Path("build/benchmarks/latest.json"), Path("build/benchmarks/history.jsonl")


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows under the names of their columns; numbers to the right, three digits of what is a fraction."""
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
) -> None:
    """Write a benchmark's results into the latest figures, in the place of its former ones, and add to the history.

    Args:
        benchmark: Its name.
        results: Everything that it measured, as JSON has it.
        ratios: What can be compared between machines, by name.
        latest: The file of the latest figures.
        history: The file that has a line for every run.
    """
    made = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": read_commit(),
        "machine": describe_machine(),
    }
    for path in (latest, history):
        path.parent.mkdir(parents=True, exist_ok=True)
    figures = json.loads(latest.read_text()) if latest.exists() else {}
    figures[benchmark] = {**made, "results": results}
    latest.write_text(json.dumps(figures, indent=2) + "\n")
    rounded = {name: round(ratio, 4) for name, ratio in ratios.items()}
    with history.open("a") as file:
        file.write(json.dumps({**made, "benchmark": benchmark, "ratios": rounded}) + "\n")


def read_history(history: Path = HISTORY) -> list[dict[str, Any]]:
    """Return every line of the history."""
    return [json.loads(line) for line in history.read_text().splitlines()] if history.exists() else []


def _write(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
