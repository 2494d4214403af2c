"""Options that several benchmarks have."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.report import HISTORY, LATEST
from benchmarks.resnet_bundle import BUNDLE


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add, to what measures, where figures are kept and on which CPUs everything runs."""
    add_files(parser)
    parser.add_argument(
        "--cores", type=cores, metavar="0,1", help="the CPUs that everything runs on (default: all of this process)"
    )


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add where figures are kept."""
    parser.add_argument(
        "--latest",
        type=Path,
        default=LATEST,
        metavar="FILE",
        help=f"gets the figures, in the place of this benchmark's former ones (default: {LATEST})",
    )
    parser.add_argument(
        "--history",
        type=Path,
        default=HISTORY,
        metavar="FILE",
        help=f"gets a line more, of the ratios (default: {HISTORY})",
    )


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """Add which bundle is served."""
    parser.add_argument(
        "--bundle",
        type=Path,
        default=BUNDLE,
        metavar="FOLDER",
        help=f"what is served (default: {BUNDLE}; it is made if it is not there)",
    )


def add_rounds(parser: argparse.ArgumentParser, default: int = 3) -> None:
    """Add the number of rounds."""
    parser.add_argument(
        "--rounds",
        type=int,
        default=default,
        metavar="N",
        help=f"how often everything is measured, in turns; the medians count (default: {default})",
    )


def add_seconds(parser: argparse.ArgumentParser, default: float, of: str = "each measurement") -> None:
    """Add how long is measured; ``of`` says what."""
    parser.add_argument(
        "--seconds", type=float, default=default, metavar="S", help=f"how long {of} takes (default: {default:g})"
    )


def add_clients(parser: argparse.ArgumentParser, default: Sequence[int]) -> None:
    """Add the numbers of clients."""
    shown = ",".join(map(str, default))
    parser.add_argument(
        "--clients",
        type=numbers,
        default=list(default),
        metavar="1,8",
        help=f"how many ask at once, one number after the other (default: {shown})",
    )


def add_doors(parser: argparse.ArgumentParser, doors: Sequence[str]) -> None:
    """Add through which doors is asked, by default all of them."""
    shown = ",".join(doors)
    parser.add_argument(
        "--doors",
        type=names(doors),
        default=list(doors),
        metavar=shown,
        help=f"through which is asked, one after the other (default: {shown})",
    )


def numbers(text: str) -> list[int]:
    """Read whole numbers between commas."""
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers; give for instance 1,8,32")
    return [int(part) for part in parts]


def cores(text: str) -> list[int]:
    """Read numbers of CPUs between commas, each of which this process may use."""
    found, there = numbers(text), sorted(os.sched_getaffinity(0))
    for number in found:
        if number not in there:
            raise argparse.ArgumentTypeError(f"there is no CPU {number} here; there are {', '.join(map(str, there))}")
    return found


def names(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Return what reads names between commas, each of them known."""

    def read(text: str) -> list[str]:
        parts = text.split(",")
        for part in parts:
            if part not in known:
                raise argparse.ArgumentTypeError(f"{part!r} is none of {', '.join(known)}")
        return parts

    return read
