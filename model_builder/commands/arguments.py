"""What several commands take on the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path

MAX_SEED = 2**32 - 1


def add_bundle_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``bundle``, the one that a command reads."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a folder with a model.yaml")


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a ``type`` for argparse: a number from ``least`` to ``most``."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return number

    return parse
