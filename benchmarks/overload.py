"""Overload: what is answered in time when more comes than can be served.

A closed loop finds the peak; then requests come at random times (Poisson), at parts of the peak and at twice it, each
with a deadline. Goodput is what was answered 200 within it, as the client counts, from when a request was due.
What comes at random makes a queue, whoever serves it. So beside it stands the most that a server could answer in time
which is as quick as this one at its peak, foresees everything and puts all its cores to one image at a time.
"""

import argparse
import random
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.arguments import add_bundle, add_rounds, add_seconds
from benchmarks.decks import make_deck
from benchmarks.load_client import Load, send
from benchmarks.machine import print_machine
from benchmarks.median import take_median
from benchmarks.report import keep, print_table
from benchmarks.resnet_bundle import BUNDLE, build_bundle
from benchmarks.servers import serve_ours
from model_server.bundle import read_manifest

WARM_UP_SECONDS = 1.0
SIMULATED = 50_000
PARTS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 2.0)


@dataclass(frozen=True)
class Point:
    """What came of one rate; ``part``, ``goodput_ratio`` and ``most_ratio`` are over the peak.

    Latencies are None where none is.
    """

    part: float
    rate: float
    goodput: float
    goodput_ratio: float
    most_ratio: float
    refused_share: float
    admitted_p50_ms: float | None
    admitted_p99_ms: float | None
    refused_p99_ms: float | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    add_bundle(parser)
    add_seconds(parser, 8.0, "each rate")
    add_rounds(parser)
    parser.add_argument(
        "--clients", type=int, default=32, metavar="N", help="how many find the peak, in a closed loop (default: 32)"
    )
    parser.add_argument(
        "--parts",
        type=_parts,
        default=list(PARTS),
        metavar="0.7,2",
        help=f"the rates that are measured, over the peak (default: {','.join(f'{part:g}' for part in PARTS)})",
    )
    parser.add_argument(
        "--bound-ms",
        type=float,
        default=100.0,
        metavar="MS",
        help="how long an answer may take to be in time (default: 100)",
    )
    parser.add_argument(
        "--spare-ms",
        type=float,
        default=10.0,
        metavar="MS",
        help="how much sooner the deadline is that the server is told, which counts from when it has the request "
        "(default: 10)",
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print and keep it."""
    if options.bundle == BUNDLE:
        build_bundle()
    print_machine()
    model = read_manifest(options.bundle).name
    patient = make_deck("v2", "jpeg", model)
    hurried = make_deck("v2", "jpeg", model, timeout_seconds=(options.bound_ms - options.spare_ms) / 1000)
    peaks: list[float] = []
    found: dict[float, list[Point]] = defaultdict(list)
    with serve_ours([options.bundle]) as server:
        send(patient, server.http, seconds=2.0, clients=options.clients).check()
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", flush=True)
            closed = send(
                patient, server.http, seconds=options.seconds, warm_up=WARM_UP_SECONDS, clients=options.clients
            )
            peaks.append(closed.check().ok_per_second)
            for part in options.parts:
                load = send(
                    hurried,
                    server.http,
                    seconds=options.seconds,
                    warm_up=WARM_UP_SECONDS,
                    rate=part * peaks[-1],
                    good_within_ms=options.bound_ms,
                    seed=number,
                )
                found[part].append(to_point(part, peaks[-1], load.check(), options.bound_ms))
    points = [take_median(each) for each in found.values()]
    print_results(statistics.median(peaks), points, options.bound_ms)
    keep(
        "overload",
        {"peak": peaks, "bound_ms": options.bound_ms, "points": [asdict(each) for each in points]},
        ratios_of(points, options.bound_ms),
        latest=options.latest,
        history=options.history,
        bundle=options.bundle,
    )


def to_point(part: float, peak: float, load: Load, bound_ms: float) -> Point:
    """Return what a run at a part of the peak says."""
    admitted, refused = load.latency.get("ok", {}), load.latency.get("refused", {})
    return Point(
        part=part,
        rate=part * peak,
        goodput=load.good_per_second,
        goodput_ratio=load.good_per_second / peak,
        most_ratio=most_in_time(part, peak * bound_ms / 1000),
        refused_share=load.refused_share,
        admitted_p50_ms=admitted.get("p50"),
        admitted_p99_ms=admitted.get("p99"),
        refused_p99_ms=refused.get("p99"),
    )


def most_in_time(part: float, images_in_bound: float) -> float:
    """Return the most goodput, over the peak, of requests that come at random at a part of the peak.

    It is that of a server which is as quick as this one at its peak, whose overhead it so has, foresees everything, has
    all its cores work on one image at a time, and admits what it can answer in time (M/D/1 with a bounded wait;
    simulated by Lindley's recursion). A quicker server could do more. The time of an image is the unit.

    Args:
        part: The rate, over the peak.
        images_in_bound: How many images can be served one after the other within the bound.
    """
    arrivals = random.Random(0)  # noqa: S311
    work, good = 0.0, 0
    for _ in range(SIMULATED):
        work = max(0.0, work - arrivals.expovariate(part))
        if work + 1 <= images_in_bound:
            work += 1
            good += 1
    return part * good / SIMULATED


def best_in_time(points: Sequence[Point], bound_ms: float) -> Point | None:
    """Return the most goodput up to the peak at which 99 of 100 admitted requests were answered within the bound."""
    meeting = [
        each
        for each in points
        if each.part <= 1 and each.admitted_p99_ms is not None and each.admitted_p99_ms <= bound_ms
    ]
    return max(meeting, key=lambda each: each.goodput, default=None)


def ratios_of(points: Sequence[Point], bound_ms: float) -> dict[str, float]:
    """Return the goodput over the peak: the best in time, and under overload."""
    best = best_in_time(points, bound_ms)
    ratios = {"goodput in time": best.goodput_ratio if best else 0.0}
    return ratios | {f"goodput at {each.part:g} x": each.goodput_ratio for each in points if each.part > 1}


def print_results(peak: float, points: Sequence[Point], bound_ms: float) -> None:
    """Print the medians."""
    print(f"\nthe peak in a closed loop: {peak:.1f} requests/s; then at random times, medians of the rounds")
    print("at most: of the peak, what a server as quick as this one at its peak could answer in time that foresees")
    print("everything and puts all its cores to one image at a time\n")
    print_table(
        [
            {
                "of peak": each.part,
                "rate": each.rate,
                f"good/s ({bound_ms:g} ms)": each.goodput,
                "of peak ": each.goodput_ratio,
                "at most": each.most_ratio,
                "refused %": each.refused_share * 100,
                "p50 of 200s": each.admitted_p50_ms,
                "p99 of 200s": each.admitted_p99_ms,
                "p99 of refusals": each.refused_p99_ms,
            }
            for each in points
        ]
    )
    best = best_in_time(points, bound_ms)
    if best:
        print(f"goodput with p99 of what is admitted within {bound_ms:g} ms: {best.goodput_ratio:.2f} of the peak")
    else:
        print(f"at no rate was p99 of what is admitted within {bound_ms:g} ms")


def _parts(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers; give for instance 0.8,2") from error
