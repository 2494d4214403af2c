"""What a server costs as its work grows: more models, more clients, more classes, more or fewer CPUs.

Each table is a server of its own, which gets JPEGs through V2. A limit of CPUs is the affinity of its process, and the
number of its threads; the client may use the others, and shares them where there are none. A pod pays for the cores
that it reserves, busy or not: core-seconds are those, and with a price of a core's hour a million images have theirs.
Every row is one run, not the median of several.
"""

import argparse
import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import photographs
from benchmarks.arguments import add_clients, add_seconds, numbers
from benchmarks.decks import Deck, v2_request, write_deck
from benchmarks.efficiency import load_server
from benchmarks.load_client import send
from benchmarks.machine import print_machine
from benchmarks.report import keep, print_table
from benchmarks.resnet_bundle import build_bundle
from benchmarks.servers import Server, serve_ours

CLASSES, FEW_CLASSES = 1000, 10
WARM_UP_SECONDS = 1.0
CLIENTS = 32
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Setting:
    """What is served: so many models of so many classes, by so many CPUs; memory is PSS in MiB, before any load."""

    models: int
    classes: int
    cores: int
    memory_loaded: float


@dataclass(frozen=True)
class Cost:
    """What a server does for so many clients, in one run; CPU milliseconds are those used for an image.

    ``memory_after`` is the PSS in MiB after the load, with nothing in flight; ``memory_peak`` the most RSS during it,
    if told.
    """

    setting: Setting
    clients: int
    memory_after: float
    memory_peak: float | None
    images_per_second: float
    p50_ms: float
    p99_ms: float
    refused_share: float
    cpu_ms: float

    @property
    def name(self) -> str:
        """Return what tells it from others of its run."""
        return f"{self.setting.models} x {self.setting.classes} on {self.setting.cores} CPUs, {self.clients} clients"

    @property
    def core_seconds(self) -> float:
        """Return the core-seconds that are reserved for 1,000 images."""
        return 1000 * self.setting.cores / self.images_per_second

    def price(self, per_core_hour: float) -> float:
        """Return what a million images cost."""
        return 1000 * self.core_seconds * per_core_hour / SECONDS_AN_HOUR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    add_seconds(parser, 4.0)
    parser.add_argument(
        "--models",
        type=numbers,
        default=[1, 4, 16],
        metavar="1,4",
        help="how many are loaded, one number after the other (default: 1,4,16)",
    )
    add_clients(parser, (1, 2, 8, 32, 128, 512))
    parser.add_argument(
        "--limits",
        type=numbers,
        default=[1, 2],
        metavar="1,2",
        help="how many CPUs the server gets, one number after the other (default: 1,2)",
    )
    parser.add_argument(
        "--price-per-core-hour",
        type=float,
        default=0.04,
        metavar="PRICE",
        help="what a million images cost is told by it, in its currency (default: 0.04)",
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print and keep it."""
    bundles = {classes: build_bundle(classes) for classes in (FEW_CLASSES, CLASSES)}
    print_machine()
    all_cores = sorted(os.sched_getaffinity(0))
    price, costs = options.price_per_core_hour, list[Cost]()

    def measure(title: str, clients: Sequence[int], models: int = 1, classes: int = CLASSES, limit: int = 0) -> None:
        cores = all_cores[: limit or None]
        with serve_copies(bundles[classes], models, cores) as (server, deck):
            setting = Setting(models, classes, len(cores), server.memory().pss)
            send(deck, server.http, seconds=1.0, clients=8).check()
            found = [measure_clients(server, deck, each, options.seconds, setting) for each in clients]
        print(f"\n{title}; every row is one run\n")
        print_costs(found, price)
        costs.extend(found)

    measure("Clients, of one model", options.clients)
    for models in options.models:
        measure(f"{models} models loaded, asked in turns", [CLIENTS], models=models)
    for classes in bundles:
        measure(f"{classes} classes", [CLIENTS], classes=classes)
    for limit in options.limits:
        measure(f"A limit of {limit} CPUs", [1, CLIENTS], limit=limit)
    results = [{**asdict(each), "core_seconds": each.core_seconds, "price": each.price(price)} for each in costs]
    keep(
        "growth",
        {"price_per_core_hour": price, "costs": results},
        {f"{each.name} core-seconds": each.core_seconds for each in costs},
        latest=options.latest,
        history=options.history,
    )


@contextlib.contextmanager
def serve_copies(bundle: Path, models: int, cores: Sequence[int]) -> Iterator[tuple[Server, Deck]]:
    """Serve a bundle under so many names, on some of the CPUs; the value has a deck that asks them in turns."""
    names = [f"resnet-{number}" for number in range(models)]
    named = [part for name in names for part in ("--model", f"{name}={bundle}")]
    photos = photographs.jpegs()
    requests = [v2_request(names[number % models], [photo]) for number, photo in enumerate(photos)]
    with serve_ours([], *named, "--threads", str(len(cores)), cores=cores) as server:
        yield server, write_deck("growth", requests)


def measure_clients(server: Server, deck: Deck, clients: int, seconds: float, setting: Setting) -> Cost:
    """Load a server in a closed loop."""
    served = load_server(server, deck, clients, seconds, warm_up=WARM_UP_SECONDS)
    load = served.load
    return Cost(
        setting,
        clients=clients,
        memory_after=served.memory_mib,
        memory_peak=served.peak_mib,
        images_per_second=load.ok_per_second,
        p50_ms=load.latency["ok"]["p50"],
        p99_ms=load.latency["ok"]["p99"],
        refused_share=load.refused_share,
        cpu_ms=served.server_cpu_ms,
    )


def print_costs(costs: Sequence[Cost], price: float) -> None:
    """Print them."""
    print_table(
        [
            {
                "models": each.setting.models,
                "classes": each.setting.classes,
                "CPUs": each.setting.cores,
                "clients": each.clients,
                "PSS MiB loaded": each.setting.memory_loaded,
                "PSS MiB after": each.memory_after,
                "RSS MiB at most": each.memory_peak,
                "images/s": each.images_per_second,
                "p50 ms": each.p50_ms,
                "p99 ms": each.p99_ms,
                "refused %": each.refused_share * 100,
                "CPU ms": each.cpu_ms,
                "core-s / 1,000": each.core_seconds,
                "price / million": each.price(price),
            }
            for each in costs
        ]
    )
