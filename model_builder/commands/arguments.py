"""What several commands take on the command line."""

import argparse
from collections.abc import Callable

MAX_SEED = 2**32 - 1


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
