"""What the person at the terminal is told, on stderr, so that stdout holds the result alone."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

PAUSE_SECONDS = 5.0

Item = TypeVar("Item")


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, file=sys.stderr, flush=True)


def tell(items: Sequence[Item], doing: str, clock: Callable[[], float] = time.monotonic) -> Iterator[Item]:
    """Yield the items; say what is done to how many, then every few seconds how far it is."""
    say(f"{doing}: {len(items)}")
    said = clock()
    for done, item in enumerate(items):
        now = clock()
        if now - said >= PAUSE_SECONDS:
            said = now
            say(f"{doing}: {done} of {len(items)}")
        yield item
