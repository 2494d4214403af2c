"""Options that several benchmarks have."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.report import HISTORY, LATEST


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where figures are kept, and on which CPUs everything runs."""
    parser.add_argument("--latest", type=Path, default=LATEST, metavar="FILE", help=f"(default: {LATEST})")
    parser.add_argument(
        "--history", type=Path, default=HISTORY, metavar="FILE", help=f"gets a line more (default: {HISTORY})"
    )
    parser.add_argument(
        "--cores", type=numbers, metavar="0,1", help="the CPUs that everything runs on (default: all of this process)"
    )


def numbers(text: str) -> list[int]:
    """Read whole numbers between commas."""
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers; give for instance 1,8,32")
    return [int(part) for part in parts]


def names(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Return what reads names between commas, each of them known."""

    def read(text: str) -> list[str]:
        parts = text.split(",")
        for part in parts:
            if part not in known:
                raise argparse.ArgumentTypeError(f"{part!r} is none of {', '.join(known)}")
        return parts

    return read
