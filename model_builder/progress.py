"""What the person at the terminal is told, on stderr, so that stdout holds the result alone."""

import sys


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, file=sys.stderr, flush=True)
