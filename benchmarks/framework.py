"""An almost free model: requests a second of a core, over those of the same framework answering an empty 200.

The digits' network costs next to nothing, so what is measured is everything around it: HTTP, the protocol, decoding.
The framework gets the same requests, and reads their bodies. They take turns; figures are medians of the rounds, and so
is the ratio, which is of one round each.
"""

import argparse
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.arguments import add_clients, add_doors, add_rounds, add_seconds
from benchmarks.decks import Deck, make_digits_deck
from benchmarks.efficiency import load_server
from benchmarks.load_client import send
from benchmarks.machine import print_machine
from benchmarks.median import take_median
from benchmarks.report import keep, print_table
from benchmarks.servers import Server, running, serve_ours

DIGITS = Path("models/digits")
DOORS = ("v2", "model")
WARM_UP_SECONDS = 0.5


@dataclass(frozen=True)
class Measurement:
    """Requests a second of the clock, and of a core that the server keeps busy; ``ratio`` is of the latter."""

    door: str
    clients: int
    served: float
    served_per_core: float
    empty: float
    empty_per_core: float
    ratio: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    add_seconds(parser, 4.0)
    add_rounds(parser)
    add_clients(parser, (8, 32))
    add_doors(parser, DOORS)


def run(options: argparse.Namespace) -> None:
    """Measure, print and keep it."""
    print_machine()
    decks = {door: make_digits_deck(door) for door in options.doors}
    started = re.compile(r"^Address +http://(\S+)", re.MULTILINE)
    with (
        serve_ours([DIGITS]) as ours,
        running([sys.executable, "-m", "benchmarks.empty_server"], "empty", started) as (pid, found),
    ):
        empty = Server(found[1], "", pid)
        medians = []
        for door, deck in decks.items():
            for server in (ours, empty):
                send(deck, server.http, seconds=1.0, clients=8).check()
            for clients in options.clients:
                rounds = []
                for _ in range(options.rounds):
                    served, answered = (load(server, deck, clients, options.seconds) for server in (ours, empty))
                    rounds.append(compare(door, clients, served, answered))
                medians.append(take_median(rounds))
    print("\nthe digits, and the framework alone: requests a second, and of a busy core; medians of the rounds\n")
    print_table(
        [
            {
                "door": each.door,
                "clients": each.clients,
                "served/s": each.served,
                "a core": each.served_per_core,
                "empty/s": each.empty,
                "a core ": each.empty_per_core,
                "ratio": each.ratio,
            }
            for each in medians
        ]
    )
    ratios = {f"digits {each.door} {each.clients}": each.ratio for each in medians}
    keep("framework", [asdict(each) for each in medians], ratios, latest=options.latest, history=options.history)


def compare(door: str, clients: int, ours: tuple[float, float], empty: tuple[float, float]) -> Measurement:
    """Return what a round says, of what ``load`` found of each."""
    return Measurement(door, clients, *ours, *empty, ratio=ours[1] / empty[1])


def load(server: Server, deck: Deck, clients: int, seconds: float) -> tuple[float, float]:
    """Return requests a second of the clock, and of a core that the server keeps busy."""
    served = load_server(server, deck, clients, seconds, warm_up=WARM_UP_SECONDS)
    return served.load.ok_per_second, 1000 / served.server_cpu_ms
