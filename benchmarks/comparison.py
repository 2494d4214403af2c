"""Peers: other serving frameworks with the same bundle and the same engine, side by side with ours.

A short sweep finds each peer's best configuration for each number of clients. Then each round measures the engine,
ours, every peer in those configurations, what a newcomer writes, and the engine again; each server runs alone. Figures
are medians over the rounds, and so are the ratios, which are of one round each.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks import large
from benchmarks.arguments import add_clients, add_rounds, add_seconds
from benchmarks.contenders import OURS, Contender, measure
from benchmarks.efficiency import Served
from benchmarks.engine import Engine, EngineFigures, running_engine
from benchmarks.machine import print_machine
from benchmarks.peers.peer import NEWCOMER, PEERS
from benchmarks.peers.running import install
from benchmarks.report import keep, print_table
from benchmarks.resnet_bundle import BUNDLE, build_bundle

Best = dict[str, dict[int, Contender]]
"""The contender of each name that is the best with so many clients."""


@dataclass(frozen=True)
class Measurement:
    """What a contender did at a number of clients, in one round or as the median of several."""

    name: str
    configuration: str
    clients: int
    requests_per_second: float
    efficiency: float
    cpu_ms: float
    cpu_ratio: float
    p50_ms: float
    p99_ms: float
    refused_share: float


Round = list[Measurement]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    add_seconds(parser, 6.0)
    parser.add_argument(
        "--sweep-seconds",
        type=float,
        default=2.5,
        metavar="S",
        help="how long each measurement of the sweep takes (default: 2.5)",
    )
    add_rounds(parser)
    add_clients(parser, (1, 8, 32))


def run(options: argparse.Namespace) -> None:
    """Measure, print and keep it."""
    begin = time.monotonic()
    build_bundle()
    print_machine("torch", "torchvision")
    print("peers: " + ", ".join(map(str, PEERS)), flush=True)
    for peer in PEERS:
        install(peer)
    with running_engine(BUNDLE) as engine:
        swept = sweep(options.clients, options.sweep_seconds)
        best = choose_best(swept)
        engines, rounds = [], []
        for number in range(options.rounds):
            print(f"\nround {number + 1} of {options.rounds}, after {_minutes(begin)} …", flush=True)
            bare, measured = measure_round(engine, best, options.clients, options.seconds)
            engines.append(bare)
            rounds.append(measured)
    medians, ratios = take_medians(rounds), ratios_of(rounds)
    print_results(engines, medians, ratios)
    times = large.compare_large([each[min(each)] for each in best.values()], options.rounds, options.seconds)
    large_ratios = large.ratios_of(times)
    large.print_large(times, large_ratios)
    results = {
        "versions": {peer.name: peer.version for peer in (*PEERS, NEWCOMER)},
        "sweep": [{"contender": str(each), "rates": rates} for each, rates in swept.items()],
        "engine": [asdict(each) for each in engines],
        "servers": [asdict(each) for each in medians],
        "large": large.rows_of(times),
    }
    keep("comparison", results, ratios | large_ratios, latest=options.latest, history=options.history)
    print(f"it took {_minutes(begin)}")


def sweep(clients: Sequence[int], seconds: float) -> dict[Contender, dict[int, float]]:
    """Return requests a second of every peer in every configuration, by number of clients; of those that work."""
    contenders = [Contender(peer, workers, batch) for peer in PEERS for workers, batch in peer.configurations]
    print(
        f"\nsweep: {len(contenders)} configurations; requests/s at {', '.join(map(str, clients))} clients", flush=True
    )
    found = {}
    for contender in contenders:
        if served := measure(contender, "jpeg", clients, seconds):
            found[contender] = {number: each.load.ok_per_second for number, each in served.items()}
            print(f"  {contender!s:36}" + "".join(f"{rate:8.1f}" for rate in found[contender].values()), flush=True)
    return found


def choose_best(swept: Mapping[Contender, Mapping[int, float]]) -> Best:
    """Return the contender with the most requests a second, of each name, for each number of clients."""
    best: Best = defaultdict(dict)
    for contender, rates in swept.items():
        for clients, rate in rates.items():
            other = best[contender.name].get(clients)
            if other is None or rate > swept[other][clients]:
                best[contender.name][clients] = contender
    return dict(best)


def measure_round(engine: Engine, best: Best, clients: Sequence[int], seconds: float) -> tuple[EngineFigures, Round]:
    """Measure the engine, every contender where it is at its best, and the engine again."""
    before = engine.measure(seconds)
    found = [(OURS, measure(OURS, "jpeg", clients, seconds))]
    for by_clients in best.values():
        for contender in dict.fromkeys(by_clients.values()):
            best_with = [number for number in clients if by_clients.get(number) == contender]
            found.append((contender, measure(contender, "jpeg", best_with, seconds)))
    newcomer = Contender(NEWCOMER, *NEWCOMER.configurations[0])
    found.append((newcomer, measure(newcomer, "jpeg", clients, seconds)))
    bare = before.mean(engine.measure(seconds))
    return bare, [
        to_measurement(contender, number, each, bare) for contender, served in found for number, each in served.items()
    ]


def to_measurement(contender: Contender, clients: int, served: Served, bare: EngineFigures) -> Measurement:
    """Return what a run says, and how it compares with the engine."""
    rate, latency = served.load.ok_per_second, served.load.latency["ok"]
    return Measurement(
        name=contender.name,
        configuration=contender.configuration,
        clients=clients,
        requests_per_second=rate,
        efficiency=rate / bare.images_per_second,
        cpu_ms=served.server_cpu_ms,
        cpu_ratio=served.server_cpu_ms / bare.cpu_ms,
        p50_ms=latency["p50"],
        p99_ms=latency["p99"],
        refused_share=served.load.refused_share,
    )


def take_medians(rounds: Iterable[Round]) -> list[Measurement]:
    """Return the median of every figure over the rounds that have it."""
    found: dict[tuple[str, str, int], list[Measurement]] = defaultdict(list)
    for each in (each for measured in rounds for each in measured):
        found[each.name, each.configuration, each.clients].append(each)
    figures = [name for name in Measurement.__dataclass_fields__ if name not in ("name", "configuration", "clients")]
    return [
        Measurement(*key, **{name: statistics.median(getattr(each, name) for each in group) for name in figures})
        for key, group in found.items()
    ]


def ratios_of(rounds: Iterable[Round]) -> dict[str, float]:
    """Return ours over the best peer and over the newcomer, for each number of clients: medians of each round's."""
    ratios: dict[str, list[float]] = defaultdict(list)
    for measured in rounds:
        rates = {(each.name, each.clients): each.requests_per_second for each in measured}
        for clients in dict.fromkeys(each.clients for each in measured):
            mine = rates.get((OURS.name, clients))
            peers = [rates[peer.name, clients] for peer in PEERS if (peer.name, clients) in rates]
            newcomers = [rates[NEWCOMER.name, clients]] if (NEWCOMER.name, clients) in rates else []
            for name, others in (("best peer", peers), ("newcomer", newcomers)):
                if mine is not None and others:
                    ratios[f"ours / {name} at {clients}"].append(mine / max(others))
    return {name: statistics.median(each) for name, each in ratios.items()}


def print_results(
    engines: Sequence[EngineFigures], medians: Sequence[Measurement], ratios: Mapping[str, float]
) -> None:
    """Print the medians."""
    rate, cpu = (statistics.median(getattr(each, name) for each in engines) for name in ("images_per_second", "cpu_ms"))
    print(f"\nthe bare engine, {engines[0].way}: {rate:.1f} images/s, {cpu:.2f} CPU ms each")
    print("every server in its best configuration; medians of the rounds\n")
    print_table(
        [
            {
                "clients": each.clients,
                "server": each.name,
                "configuration": each.configuration,
                "requests/s": each.requests_per_second,
                "efficiency": each.efficiency,
                "p50 ms": each.p50_ms,
                "p99 ms": each.p99_ms,
                "CPU ms": each.cpu_ms,
                "CPU ratio": each.cpu_ratio,
                "refused %": each.refused_share * 100,
            }
            for each in sorted(medians, key=lambda each: (each.clients, -each.requests_per_second))
        ]
    )
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f}")


def _minutes(begin: float) -> str:
    return f"{(time.monotonic() - begin) / 60:.0f} minutes"
