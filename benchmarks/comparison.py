"""Peers: other serving frameworks with the same bundle and the same engine, side by side with ours.

A short sweep finds each peer's configurations that are the best for some number of clients. Then each round measures
the engine, ours, every peer in all of those, what a newcomer writes, and the engine again, with every number of
clients; each server runs alone. After the rounds a peer counts, for each number of clients, by the configuration whose
median is the best. Figures are medians over the rounds in which neither ours nor a peer failed. So are the ratios,
which are of one round each.
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
from benchmarks.median import take_median
from benchmarks.peers.peer import NEWCOMER, PEERS
from benchmarks.peers.running import install
from benchmarks.report import keep, print_table
from benchmarks.resnet_bundle import BUNDLE, build_bundle

Case = tuple[str, str, int]
"""A contender's name, its configuration, and how many clients."""
Best = dict[str, dict[int, Contender]]
"""The contender of each name that is the best with so many clients."""
Rates = dict[Contender, dict[int, float]]
"""Requests a second of each contender, by number of clients."""


@dataclass(frozen=True)
class Measurement:
    """What a contender did at a number of clients, in one round or as the median of several.

    ``memory_mib`` is PSS after the load, with nothing in flight; a peer's has the small process in it that ends it.
    """

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
    memory_mib: float

    @property
    def case(self) -> Case:
        """Return what tells it from others of its round."""
        return self.name, self.configuration, self.clients


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
        peers = candidates(choose_best(swept))
        engines, rounds = [], []
        for number in range(options.rounds):
            print(f"\nround {number + 1} of {options.rounds}, after {_minutes(begin)} …", flush=True)
            bare, measured = measure_round(engine, peers, options.clients, options.seconds)
            engines.append(bare)
            rounds.append(measured)
    whole = [each for each in rounds if has_all(each, [OURS, *peers])]
    medians = take_medians(whole or rounds)
    best = choose_best(rates_of(medians, peers))
    kept = keep_best(medians, best)
    ratios = ratios_of(whole, kept)
    print_results(engines, kept, ratios, len(rounds))
    times = large.compare_large([each[min(each)] for each in best.values()], options.rounds, options.seconds)
    large_ratios = large.ratios_of(times)
    large.print_large(times, large_ratios)
    results = {
        "versions": {peer.name: peer.version for peer in (*PEERS, NEWCOMER)},
        "sweep": [{"contender": str(each), "rates": rates} for each, rates in swept.items()],
        "engine": [asdict(each) for each in engines],
        "servers": [asdict(each) for each in kept],
        "configurations": [asdict(each) for each in medians],
        "ratios": ratios,
        "large": large.rows_of(times),
    }
    of_servers = {name: statistics.median(each) for name, each in ratios.items() if each}
    keep("comparison", results, of_servers | large_ratios, latest=options.latest, history=options.history)
    print(f"it took {_minutes(begin)}")


def sweep(clients: Sequence[int], seconds: float) -> Rates:
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


def candidates(best: Best) -> list[Contender]:
    """Return every contender that is the best for some number of clients."""
    return list(dict.fromkeys(contender for by_clients in best.values() for contender in by_clients.values()))


def measure_round(
    engine: Engine, peers: Sequence[Contender], clients: Sequence[int], seconds: float
) -> tuple[EngineFigures, Round]:
    """Measure the engine, ours, the peers, the newcomer, each with every number of clients, and the engine again."""
    before = engine.measure(seconds)
    newcomer = Contender(NEWCOMER, *NEWCOMER.configurations[0])
    found = [(contender, measure(contender, "jpeg", clients, seconds)) for contender in (OURS, *peers, newcomer)]
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
        memory_mib=served.memory_mib,
    )


def has_all(measured: Round, contenders: Iterable[Contender]) -> bool:
    """Tell whether a round has all of them: without the best peer ours would look too good."""
    found = {(each.name, each.configuration) for each in measured}
    return found >= {(each.name, each.configuration) for each in contenders}


def take_medians(rounds: Iterable[Round]) -> list[Measurement]:
    """Return the median of every figure over the rounds that have it."""
    found: dict[Case, list[Measurement]] = defaultdict(list)
    for each in (each for measured in rounds for each in measured):
        found[each.case].append(each)
    return [take_median(group) for group in found.values()]


def rates_of(medians: Iterable[Measurement], contenders: Iterable[Contender]) -> Rates:
    """Return the rates of those contenders that were measured."""
    rates: Rates = defaultdict(dict)
    by_name = {(each.name, each.configuration): each for each in contenders}
    for each in medians:
        if contender := by_name.get((each.name, each.configuration)):
            rates[contender][each.clients] = each.requests_per_second
    return dict(rates)


def keep_best(medians: Iterable[Measurement], best: Best) -> list[Measurement]:
    """Return what is of each peer's best configuration for its number of clients, and all of others."""
    return [
        each
        for each in medians
        if each.name not in best or best[each.name][each.clients].configuration == each.configuration
    ]


def ratios_of(rounds: Sequence[Round], kept: Sequence[Measurement]) -> dict[str, list[float]]:
    """Return ours over the best peer and over the newcomer, for each number of clients, of each round that has them.

    The best is the one whose median is: of several that are nearly as quick, the luckiest of a round is too quick.
    """
    ratios: dict[str, list[float]] = {}
    for clients in dict.fromkeys(each.clients for each in kept):
        here = {each.name: each for each in kept if each.clients == clients}
        mine, newcomer = here.pop(OURS.name, None), here.pop(NEWCOMER.name, None)
        best = max(here.values(), key=lambda each: each.requests_per_second, default=None)
        for name, other in (("best peer", best), ("newcomer", newcomer)):
            if mine and other:
                ratios[f"ours / {name} at {clients}"] = [
                    rates[mine.case] / rates[other.case]
                    for rates in ({each.case: each.requests_per_second for each in measured} for measured in rounds)
                    if {mine.case, other.case} <= rates.keys()
                ]
    return ratios


def print_results(
    engines: Sequence[EngineFigures],
    kept: Sequence[Measurement],
    ratios: Mapping[str, Sequence[float]],
    rounds: int,
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
                "PSS MiB after": each.memory_mib,
            }
            for each in sorted(kept, key=lambda each: (each.clients, -each.requests_per_second))
        ]
    )
    for name, found in ratios.items():
        print(f"{name}: " + say_ratio(found, rounds))


def say_ratio(found: Sequence[float], rounds: int) -> str:
    """Return a ratio's median, and of how many rounds it is where it isn't of all."""
    if not found:
        return f"none: in none of {rounds} rounds was everything measured"
    return f"{statistics.median(found):.2f}" + f", of {len(found)} of {rounds} rounds" * (len(found) < rounds)


def _minutes(begin: float) -> str:
    return f"{(time.monotonic() - begin) / 60:.0f} minutes"
