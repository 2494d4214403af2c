"""Memory over many requests of mixed sizes, formats, doors and errors, most of them to an almost free model.

The digits and ResNet-50 are loaded side by side. Every request has a status that it must get; what got another is
told. Growth is counted from where a twentieth of the requests is answered.
"""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks.framework import DIGITS
from benchmarks.load_client import Load, send
from benchmarks.machine import print_machine
from benchmarks.mixture import Mixture, Pictures, mix_grpc, mix_http
from benchmarks.report import keep
from benchmarks.resnet_bundle import BUNDLE, build_bundle
from benchmarks.servers import Server, serve_ours

HTTP_PASS, GRPC_PASS = 1800, 200
"""How many requests are in a pass of each kind; memory is looked at after every two."""
MOST_SECONDS = 600.0
SETTLED = 0.05
LOOKED_AT = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument(
        "--requests", type=int, default=200_000, metavar="N", help="at least so many are sent (default: 200000)"
    )
    parser.add_argument("--clients", type=int, default=8, metavar="N", help="how many ask at once (default: 8)")


def run(options: argparse.Namespace) -> None:
    """Measure, print and keep it."""
    build_bundle()
    print_machine()
    pictures = Pictures()
    mixtures = [mix_http(HTTP_PASS, pictures), mix_grpc(GRPC_PASS, pictures)]
    passes = max(-(-options.requests // (HTTP_PASS + GRPC_PASS)), 2 * LOOKED_AT)
    statuses: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    problems: list[str] = []
    samples: list[float] = []
    with serve_ours([BUNDLE, DIGITS]) as server:
        print(f"loaded: {server.memory().pss:.0f} MiB PSS", flush=True)
        shown = time.monotonic()
        for _ in range(passes):
            for mixture in mixtures:
                load = send_all(mixture, server, options.clients)
                statuses.update(load.statuses)
                unexpected = find_unexpected(load, mixture)
                wrong.update(unexpected)
                problems += load.problems if unexpected else []
            samples.append(server.memory().pss)
            if time.monotonic() > shown + 10:
                shown = time.monotonic()
                print(f"{sum(statuses.values()):>8} requests  {samples[-1]:.0f} MiB", flush=True)
    begin, end = settle(samples)
    growth = (end / begin - 1) * 100
    print(f"\n{sum(statuses.values())} requests: " + ", ".join(f"{key} {n}" for key, n in sorted(statuses.items())))
    print(f"with another status than they must get: {dict(wrong) or 'none'}")
    for problem in dict.fromkeys(problems[:5]):
        print(f"  ! {problem}")
    print(f"PSS: {begin:.0f} MiB after a twentieth, {end:.0f} MiB at the end, {max(samples):.0f} MiB at most")
    print(f"growth: {growth:.1f}%")
    results = {"statuses": statuses, "wrong": wrong, "begin": begin, "end": end, "growth": growth, "samples": samples}
    keep("soak", results, {"memory end over begin": end / begin}, latest=options.latest, history=options.history)


def send_all(mixture: Mixture, server: Server, clients: int) -> Load:
    """Send every request of a mixture once."""
    deck, count = mixture.deck, mixture.expected.total()
    return send(deck, server.target(deck.protocol), seconds=MOST_SECONDS, clients=clients, requests=count)


def find_unexpected(load: Load, mixture: Mixture) -> Counter[str]:
    """Return which statuses came more often than they must, and how much."""
    return Counter(load.statuses) - mixture.expected


def settle(samples: Sequence[float]) -> tuple[float, float]:
    """Return the memory after a twentieth of the requests and at the end: the median of a few samples each."""
    begin = int(len(samples) * SETTLED)
    return statistics.median(samples[begin : begin + LOOKED_AT]), statistics.median(samples[-LOOKED_AT:])
