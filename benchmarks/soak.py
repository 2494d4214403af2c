"""Memory over many requests of mixed sizes, formats, doors and errors, most of them to an almost free model.

The digits and ResNet-50 are loaded side by side. Every request has a status that it must get; which came too often and
which too seldom is told, and then it has failed. Growth is counted from where a twentieth of the requests is answered,
of what the server holds between two passes, with nothing in flight; the most during them is told beside it.
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


class SoakError(Exception):
    """Requests got another status than they must, or none."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument(
        "--requests", type=int, default=200_000, metavar="N", help="at least so many are sent (default: 200000)"
    )
    parser.add_argument("--clients", type=int, default=8, metavar="N", help="how many ask at once (default: 8)")


def run(options: argparse.Namespace) -> None:
    """Measure, print and keep it.

    Raises:
        SoakError: a request got another status than it must, or none; what was measured is kept.
    """
    build_bundle()
    print_machine()
    pictures = Pictures()
    mixtures = [mix_http(HTTP_PASS, pictures), mix_grpc(GRPC_PASS, pictures)]
    passes = max(-(-options.requests // (HTTP_PASS + GRPC_PASS)), 2 * LOOKED_AT)
    statuses: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    problems: list[str] = []
    samples: list[float] = []
    with serve_ours([BUNDLE, DIGITS]) as server:
        print(f"loaded: {server.memory().pss:.0f} MiB PSS", flush=True)
        has_peak = server.reset_peak()
        shown = time.monotonic()
        for _ in range(passes):
            for mixture in mixtures:
                load = send_all(mixture, server, options.clients)
                statuses.update(load.statuses)
                unexpected = find_unexpected(load, mixture)
                wrong.update(unexpected)
                missing.update(find_missing(load, mixture))
                problems += load.problems if unexpected else []
            samples.append(server.memory().pss)
            if time.monotonic() > shown + 10:
                shown = time.monotonic()
                print(f"{sum(statuses.values()):>8} requests  {samples[-1]:.0f} MiB", flush=True)
        peak = server.peak_memory() if has_peak else None
    begin, end = settle(samples)
    growth = (end / begin - 1) * 100
    print(f"\n{sum(statuses.values())} requests: " + ", ".join(f"{key} {n}" for key, n in sorted(statuses.items())))
    fault = f"statuses that came too often: {dict(wrong) or 'none'}; too seldom: {dict(missing) or 'none'}"
    print(fault)
    for problem in dict.fromkeys(problems[:5]):
        print(f"  ! {problem}")
    most = f"{max(samples):.0f} MiB at most between passes"
    print(f"PSS: {begin:.0f} MiB after a twentieth, {end:.0f} MiB at the end, {most}")
    if peak is not None:
        print(f"RSS: {peak:.0f} MiB at most, during the passes")
    print(f"growth: {growth:.1f}%")
    results = {
        "statuses": statuses,
        "wrong": wrong,
        "missing": missing,
        "begin": begin,
        "end": end,
        "growth": growth,
        "samples": samples,
        "peak": peak,
    }
    keep("soak", results, {"memory end over begin": end / begin}, latest=options.latest, history=options.history)
    if wrong or missing:
        raise SoakError(fault)


def send_all(mixture: Mixture, server: Server, clients: int) -> Load:
    """Send every request of a mixture once."""
    deck, count = mixture.deck, mixture.expected.total()
    return send(deck, server.target(deck.protocol), seconds=MOST_SECONDS, clients=clients, requests=count)


def find_unexpected(load: Load, mixture: Mixture) -> Counter[str]:
    """Return which statuses came more often than they must, and how much."""
    return Counter(load.statuses) - mixture.expected


def find_missing(load: Load, mixture: Mixture) -> Counter[str]:
    """Return which statuses came less often than they must, and how much: requests that got another, or no answer."""
    return mixture.expected - Counter(load.statuses)


def settle(samples: Sequence[float]) -> tuple[float, float]:
    """Return the memory after a twentieth of the requests and at the end: the median of a few samples each."""
    begin = int(len(samples) * SETTLED)
    return statistics.median(samples[begin : begin + LOOKED_AT]), statistics.median(samples[-LOOKED_AT:])
