"""ResNet-50: images a second that the server answers in int8, over those of bare torch in float32, side by side.

    .venv/dev/bin/python -m benchmarks.int8_over_torch

The server gets JPEGs of 500 by 334 pixels from eight clients in a process of their own, and decodes, resizes,
classifies and answers them. Torch, eager and as it comes, gets a batch of eight tensors in memory and all cores, in a
process of its own. They take turns; while one works, the other waits. The weights are random and seeded: only speed
means anything here.
"""

import argparse
import statistics
import sys
import time

from benchmarks.arguments import add_files, add_rounds, add_seconds
from benchmarks.decks import make_deck
from benchmarks.load_client import LoadError, check_client, send
from benchmarks.machine import print_machine
from benchmarks.report import FiguresError, keep, read_history, read_latest
from benchmarks.resnet_bundle import ARCHITECTURE, BUNDLE, CLASSES, SIZE, build_bundle
from benchmarks.servers import ServerError, serve_ours
from benchmarks.worker import WorkerError, running_worker
from model_server.bundle import read_manifest

CLIENTS, BATCH = 8, 8
WARM_UP_SECONDS = 3.0


def main(arguments: list[str] | None = None) -> int:
    """Measure, and return the exit status, 1 where it could not be measured."""
    options = build_parser().parse_args(arguments)
    try:
        run(options)
    except (FiguresError, LoadError, ServerError, WorkerError) as error:
        print(f"int8_over_torch: {error}", file=sys.stderr)
        return 1
    return 0


def run(options: argparse.Namespace) -> None:
    """Print both for every round, and the ratio's median, least and greatest; keep them."""
    read_latest(options.latest)  # or minutes would pass in vain
    read_history(options.history)
    check_client()
    build_bundle()
    print_machine("torch", "nncf")
    deck = make_deck("model", "jpeg", read_manifest(BUNDLE).name)
    with serve_ours([BUNDLE], "--precision", "int8") as server, running_worker(Torch) as torch:

        def serve(seconds: float) -> float:
            return send(deck, server.http, seconds=seconds, clients=CLIENTS).check().ok_per_second

        def compute(seconds: float) -> float:
            images_per_second: float = torch.ask("measure", seconds)
            return images_per_second

        serve(WARM_UP_SECONDS), compute(WARM_UP_SECONDS)
        print(f"\n{'round':>6} {'served int8':>12} {'torch float32':>14} {'ratio':>6}   images/s")
        ratios, rows = [], []
        for number in range(options.rounds):
            int8, float32 = serve(options.seconds), compute(options.seconds)
            ratios.append(int8 / float32)
            rows.append({"served_int8": int8, "torch_float32": float32, "ratio": ratios[-1]})
            print(f"{number + 1:>6} {int8:12.1f} {float32:14.1f} {ratios[-1]:6.2f}", flush=True)
    print(f"\nratio: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")
    median = {"ours / torch float32": statistics.median(ratios)}
    keep("int8_over_torch", rows, median, latest=options.latest, history=options.history)


def build_parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    text = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.int8_over_torch", description=text, allow_abbrev=False)
    add_files(parser)
    add_rounds(parser, 5)
    add_seconds(parser, 10.0, "each of the two, in each round,")
    return parser


class Torch:
    """Eager float32 on one batch, again and again."""

    def __init__(self) -> None:
        import torch

        from model_server.engine.networks import build_network

        torch.manual_seed(0)
        self._torch = torch
        self._network, self._batch = build_network(ARCHITECTURE, CLASSES), torch.randn(BATCH, 3, SIZE, SIZE)

    def measure(self, seconds: float) -> float:
        """Return images a second."""
        images, begin = 0, time.perf_counter()
        with self._torch.inference_mode():
            while time.perf_counter() < begin + seconds:
                self._network(self._batch)
                images += BATCH
        return images / (time.perf_counter() - begin)


if __name__ == "__main__":
    sys.exit(main())
