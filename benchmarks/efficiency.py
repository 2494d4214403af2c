"""Serving efficiency: images a second through a door, over what the bare engine does with the same bundle.

Each round measures the engine, the server at every number of clients through every door, and the engine again; the
mean of the engine's two counts. The figures are medians over the rounds.
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks.arguments import add_bundle, add_clients, add_doors, add_rounds, add_seconds, names
from benchmarks.decks import DOORS, IMAGES, Deck, make_deck, takes
from benchmarks.engine import Engine, EngineFigures, running_engine
from benchmarks.load_client import Load, send
from benchmarks.machine import print_machine
from benchmarks.median import take_median
from benchmarks.report import keep, print_table
from benchmarks.resnet_bundle import BUNDLE, build_bundle
from benchmarks.servers import Server, serve_ours
from model_server.bundle import read_manifest

WARM_UP_SECONDS = 0.7


@dataclass(frozen=True)
class Measurement:
    """What the server did at a number of clients, in one round or as the median of several.

    ``memory_mib`` is the PSS after the load, with nothing in flight; ``peak_mib`` the most RSS during it, if told.
    """

    door: str
    images: str
    clients: int
    images_per_second: float
    efficiency: float
    server_cpu_ms: float
    cpu_ratio: float
    p50_ms: float
    p99_ms: float
    p50_ratio: float
    client_cpu_share: float
    refused_share: float
    memory_mib: float
    peak_mib: float | None

    @property
    def name(self) -> str:
        """Return what tells it from others of its run."""
        return f"{self.door} {self.images} {self.clients}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    add_bundle(parser)
    add_seconds(parser, 4.0)
    add_rounds(parser)
    add_clients(parser, (1, 2, 8, 32, 128))
    add_doors(parser, DOORS)
    parser.add_argument(
        "--images",
        type=names(IMAGES),
        default=["jpeg"],
        metavar=",".join(IMAGES),
        help="what is sent, one kind after the other (default: jpeg)",
    )
    parser.add_argument(
        "--keep-as", default="efficiency", metavar="NAME", help="what the figures are kept as (default: efficiency)"
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print and keep it."""
    if options.bundle == BUNDLE:
        build_bundle()
    print_machine()
    model = read_manifest(options.bundle).name
    kinds = [(door, images) for images in options.images for door in options.doors if takes(door, images)]
    decks = {(door, images): make_deck(door, images, model) for door, images in kinds}
    found: dict[str, list[Measurement]] = defaultdict(list)
    engines: list[EngineFigures] = []
    with running_engine(options.bundle) as engine, serve_ours([options.bundle]) as server:
        ways = engine.try_all(options.seconds / 2)
        print("\nthe bare engine, images/s: " + ", ".join(f"{way} {rate:.1f}" for way, rate in ways.items()))
        for deck in decks.values():
            send(deck, server.target(deck.protocol), seconds=1.0, clients=8).check()
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", flush=True)
            bare, measured = measure_round(engine, server, decks, options.clients, options.seconds)
            engines.append(bare)
            for each in measured:
                found[each.name].append(each)
    medians = [take_median(each) for each in found.values()]
    print_results(engines, medians)
    results = {"engine": [asdict(each) for each in engines], "server": [asdict(each) for each in medians]}
    keep(
        options.keep_as,
        results,
        ratios_of(medians),
        latest=options.latest,
        history=options.history,
        bundle=options.bundle,
    )


def measure_round(
    engine: Engine, server: Server, decks: Mapping[tuple[str, str], Deck], clients: Sequence[int], seconds: float
) -> tuple[EngineFigures, list[Measurement]]:
    """Measure the engine, the server with every deck at every number of clients, and the engine again."""
    before = engine.measure(seconds)
    loads = [
        (door, images, number, load_server(server, deck, number, seconds))
        for (door, images), deck in decks.items()
        for number in clients
    ]
    bare = before.mean(engine.measure(seconds))
    return bare, [_measurement(door, images, number, bare, load) for door, images, number, load in loads]


@dataclass(frozen=True)
class Served:
    """A run of the load client, and what the server used meanwhile; ``client_cpu_share`` is of all cores.

    ``memory_mib`` is the server's PSS once everything was answered, ``peak_mib`` the RSS that it had at most, warm-up
    included: see ``Server.peak_memory``.
    """

    load: Load
    images: int
    server_cpu_ms: float
    client_cpu_share: float
    memory_mib: float
    peak_mib: float | None


def load_server(
    server: Server, deck: Deck, clients: int, seconds: float, *, warm_up: float = WARM_UP_SECONDS
) -> Served:
    """Load the server in a closed loop.

    Raises:
        LoadError: a request was neither answered nor refused.
    """
    has_peak = server.reset_peak()
    cpu, begin = server.cpu_seconds(), time.perf_counter()
    load = send(deck, server.target(deck.protocol), seconds=seconds, clients=clients, warm_up=warm_up)
    took = time.perf_counter() - begin
    load.check()
    return Served(
        load,
        deck.images,
        server_cpu_ms=(server.cpu_seconds() - cpu) * 1000 / (load.ok_in_all * deck.images),
        client_cpu_share=load.cpu_seconds / (took * len(os.sched_getaffinity(0))),
        memory_mib=server.memory().pss,
        peak_mib=server.peak_memory() if has_peak else None,
    )


def _measurement(door: str, images: str, clients: int, bare: EngineFigures, served: Served) -> Measurement:
    rate, latency = served.load.ok_per_second * served.images, served.load.latency["ok"]
    return Measurement(
        door=door,
        images=images,
        clients=clients,
        images_per_second=rate,
        efficiency=rate / bare.images_per_second,
        server_cpu_ms=served.server_cpu_ms,
        cpu_ratio=served.server_cpu_ms / bare.cpu_ms,
        p50_ms=latency["p50"],
        p99_ms=latency["p99"],
        p50_ratio=latency["p50"] / bare.single_ms,
        client_cpu_share=served.client_cpu_share,
        refused_share=served.load.refused_share,
        memory_mib=served.memory_mib,
        peak_mib=served.peak_mib,
    )


def ratios_of(medians: Iterable[Measurement]) -> dict[str, float]:
    """Return what can be compared between machines: the efficiency, and the CPU and p50 over the engine's."""
    ratios = {each.name: each.efficiency for each in medians}
    ratios |= {f"{each.name} CPU": each.cpu_ratio for each in medians}
    return ratios | {f"{each.name} p50": each.p50_ratio for each in medians if each.clients == 1}


def print_results(engines: Sequence[EngineFigures], medians: Sequence[Measurement]) -> None:
    """Print the medians."""
    rate, cpu, single = (
        statistics.median(getattr(each, name) for each in engines)
        for name in ("images_per_second", "cpu_ms", "single_ms")
    )
    print(f"\nthe bare engine, {engines[0].way}: {rate:.1f} images/s, {cpu:.2f} CPU ms each; one alone {single:.2f} ms")
    print("the server, medians of the rounds; efficiency, CPU and a lone client's p50 are over the engine\n")
    print_table(
        [
            {
                "door": each.door,
                "images": each.images,
                "clients": each.clients,
                "images/s": each.images_per_second,
                "efficiency": each.efficiency,
                "CPU ms": each.server_cpu_ms,
                "CPU ratio": each.cpu_ratio,
                "p50 ms": each.p50_ms,
                "p99 ms": each.p99_ms,
                "p50 ratio": each.p50_ratio if each.clients == 1 else None,
                "client CPU %": each.client_cpu_share * 100,
                "refused %": each.refused_share * 100,
                "PSS MiB after": each.memory_mib,
                "RSS MiB at most": each.peak_mib,
            }
            for each in medians
        ]
    )
