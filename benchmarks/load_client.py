"""The load client, a Go program (benchmarks/load): sends a deck and tells what came of it."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.decks import Deck

PROGRAM = Path(__file__).parents[1] / ".tools/bin/load"
SPARE_SECONDS = 120.0
"""How long a run may take beyond what it was told: for the last answers."""
EXPECTED = ("200", "429", "503", "OK", "RESOURCE_EXHAUSTED", "UNAVAILABLE")
"""Answers and refusals; everything else is an error."""
Percentiles = dict[str, float]


class LoadError(Exception):
    """The load client could not do what it was told."""


@dataclass(frozen=True)
class Load:
    """What came of a run.

    In a closed loop the answers that ended in the window count, in an open loop the requests that were due in it:
    ``seconds``, ``counted``, ``good`` and ``latency`` are of those alone; the rest is of the warm-up too.

    Attributes:
        requests: how many were sent, in all.
        statuses: how many got each status: HTTP's number, gRPC's name, or ``unanswered``.
        seconds: how long the window was; see ``summarise`` in log.go.
        counted: how many were ``ok``, ``refused`` (429, 503 and gRPC's like) or ``other``.
        good: how many were answered 200, and within the bound.
        latency: milliseconds at p50, p90, p99, p99.9 and max, of ``all``, ``ok``, ``refused`` and ``other``.
        problems: the first few things that were wrong.
        cpu_seconds: what the client itself used.
    """

    requests: int
    statuses: dict[str, int]
    seconds: float
    counted: dict[str, int]
    good: int
    latency: dict[str, Percentiles]
    problems: list[str]
    cpu_seconds: float

    @property
    def ok_per_second(self) -> float:
        """Return the answers with status 200 a second."""
        return self.counted["ok"] / self.seconds if self.seconds else 0.0

    @property
    def good_per_second(self) -> float:
        """Return the goodput: those that also came within the bound."""
        return self.good / self.seconds if self.seconds else 0.0

    @property
    def ok_in_all(self) -> int:
        """Return how many were answered 200, those of the warm-up included."""
        return self.statuses.get("200", 0) + self.statuses.get("OK", 0)

    @property
    def refused_share(self) -> float:
        """Return how many of those that count were refused, 0 to 1."""
        return self.counted["refused"] / max(sum(self.counted.values()), 1)

    def check(self) -> "Load":
        """Return this, if something was answered 200 and everything else was refused as the server says it may be.

        Raises:
            LoadError: an answer was another; with the first few things that were wrong.
        """
        said = f"of {self.requests} requests, by status {self.statuses}: {'; '.join(self.problems)}"
        if any(status not in EXPECTED for status in self.statuses):
            raise LoadError(said)
        if not self.counted["ok"]:
            raise LoadError(f"nothing was answered 200 in the time that counts, measure for longer; {said}")
        return self


def send(
    deck: Deck,
    target: str,
    *,
    seconds: float,
    clients: int | None = None,
    rate: float | None = None,
    warm_up: float = 0.0,
    requests: int | None = None,
    good_within_ms: float = 100.0,
    seed: int = 0,
) -> Load:
    """Send a deck, again and again, to ``127.0.0.1:PORT``.

    Args:
        deck: What is sent.
        target: The server's address.
        seconds: How long to measure.
        clients: A closed loop of so many clients, each with one request in flight; or
        rate: An open loop, of so many requests a second at random times (Poisson, of exactly as many).
        warm_up: Seconds to send before what is measured.
        requests: Stop after so many, even if it is sooner.
        good_within_ms: The bound of what counts as goodput.
        seed: Of the random times.

    Raises:
        LoadError: the client is not built, or ended with an error.
    """
    if (clients is None) == (rate is None):
        raise LoadError("give either clients, for a closed loop, or rate, for an open one")
    loop = ["-clients", str(clients)] if rate is None else ["-rate", str(rate)]
    command = [str(PROGRAM), "-target", target, "-protocol", deck.protocol, "-deck", str(deck.path), *loop]
    command += ["-time", f"{seconds}s", "-warm-up", f"{warm_up}s", "-good-within", f"{good_within_ms}ms"]
    command += ["-requests", str(requests or 0), "-seed", str(seed)]
    return Load(**json.loads(_run(command, seconds + warm_up + SPARE_SECONDS)))


def check_client() -> None:
    """Raise LoadError where the load client is not built."""
    if not PROGRAM.exists():
        raise LoadError(f"{PROGRAM} is not there: `make .tools/bin/load` builds it, with Go")


def _run(command: Sequence[str], timeout_seconds: float) -> str:
    check_client()
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"the load client did not end within {timeout_seconds:.0f} seconds") from error
    if ended.returncode:
        raise LoadError(ended.stderr.strip() or f"the load client ended with status {ended.returncode}")
    return ended.stdout
