"""What the person in front of the screen sees: a line for everything that takes time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

WIDTH = 60


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Print ``text …`` at the start of something, and at its end how many seconds it took, or that it failed."""
    started = time.monotonic()
    print(f"  {f'{text} … ':{WIDTH}}", end="", flush=True)
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:4.0f} s", flush=True)


def complain(text: str) -> None:
    """Print a line for a person to act on."""
    print(text, file=sys.stderr, flush=True)
