"""ResNet-50: images a second that the server answers in int8, over those of bare torch in float32, side by side.

    .venv/dev/bin/python -m benchmarks.int8_over_torch

The server gets JPEGs of 500 by 334 pixels from eight keep-alive clients in a process of their own, and decodes,
resizes, classifies and answers them. Torch, eager and as it comes, gets a batch of eight tensors in memory and all
cores, in a process of its own. They take turns; while one works, the other waits. The weights are random and seeded:
only speed means anything here.
"""

import argparse
import contextlib
import http.client
import io
import multiprocessing
import platform
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

from benchmarks.resnet_bundle import BUNDLE, build_bundle

FREE_PORTS = ("--http-port", "0", "--grpc-port", "0", "--metrics-port", "0")
BUILD = Path("build/int8_over_torch")
ARCHITECTURE, CLASSES, SIZE = "resnet50", 1000, 224
JPEG_SIZE, QUALITY = (500, 334), 90
CLIENTS, BATCH = 8, 8
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "amx_bf16")
WAIT_SECONDS = 120


def main() -> None:
    """Print both for every round, and the ratio's median, least and greatest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each of the two, in each round")
    options = parser.parse_args()
    build_bundle()
    print_machine()
    with served() as url, worker(work_as_clients, url) as clients, worker(work_as_torch) as bare:
        for each in (clients, bare):
            measure(each, 3.0)
        print(f"\n{'round':>6} {'served int8':>12} {'torch float32':>14} {'ratio':>6}   images/s")
        ratios = []
        for number in range(options.rounds):
            int8, float32 = measure(clients, options.seconds), measure(bare, options.seconds)
            ratios.append(int8 / float32)
            print(f"{number + 1:>6} {int8:12.1f} {float32:14.1f} {ratios[-1]:6.2f}", flush=True)
    print(f"\nratio: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


def print_machine() -> None:
    """Say what the figures depend on."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = re.search(r"model name\s*: (.*)", info)
    flags = set(info.partition("\nflags")[2].partition("\n")[0].split())
    print(f"{name[1] if name else platform.processor()}, {multiprocessing.cpu_count()} CPUs")
    print("flags: " + ", ".join(f"{flag} {'yes' if flag in flags else 'no'}" for flag in FLAGS))
    packages = ("torch", "openvino", "nncf", "kserve", "uvicorn")
    print(", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)]))
    print("random weights: only speed means anything")


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Serve the int8 variant as a process of its own; the value is its address."""
    command = [sys.executable, "-m", "model_server", "--models", str(BUNDLE), "--precision", "int8"]
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "server.log").open("w+") as log:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", *FREE_PORTS, "--no-access-log"],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + WAIT_SECONDS
            while not (found := re.search(r"Address +(\S+)", Path(log.name).read_text())):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the server did not start:\n{Path(log.name).read_text()}")
                time.sleep(0.1)
            yield found[1]
        finally:
            server.terminate()
            server.wait()


@contextlib.contextmanager
def worker(work: Callable[..., None], *arguments: str) -> Iterator[Connection]:
    """Start a process that works for as many seconds as it is sent, and answers with images a second."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join()


def measure(worker: Connection, seconds: float) -> float:
    """Return what a worker makes of these seconds: images a second."""
    worker.send(seconds)
    figure: float = worker.recv()
    return figure


def orders(connection: Connection) -> Iterator[float]:
    """Yield the seconds that a worker is sent, until there are no more."""
    with contextlib.suppress(EOFError):
        while True:
            yield connection.recv()


def work_as_clients(connection: Connection, url: str) -> None:
    """Send JPEGs over eight keep-alive connections, each one after the other."""
    photos = [encode(pixels) for pixels in load_sample_images().images]
    for seconds in orders(connection):
        counts = [0] * CLIENTS
        end = time.perf_counter() + seconds

        def send(client: int, counts: list[int] = counts, end: float = end) -> None:
            door = http.client.HTTPConnection(urlsplit(url).netloc)
            while time.perf_counter() < end:
                door.request("POST", "/model/resnet50/predict?top_k=1", photos[(client + counts[client]) % 2])
                answer = door.getresponse()
                body = answer.read()
                if answer.status != 200:
                    raise RuntimeError(body.decode())
                counts[client] += 1
            door.close()

        threads = [threading.Thread(target=send, args=(client,)) for client in range(CLIENTS)]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        connection.send(sum(counts) / (time.perf_counter() - begin))


def work_as_torch(connection: Connection) -> None:
    """Run eager float32 on one batch again and again."""
    import torch

    from model_server.engine.networks import build_network

    torch.manual_seed(0)
    network, batch = build_network(ARCHITECTURE, CLASSES), torch.randn(BATCH, 3, SIZE, SIZE)
    for seconds in orders(connection):
        images = 0
        begin = time.perf_counter()
        with torch.inference_mode():
            while time.perf_counter() < begin + seconds:
                network(batch)
                images += BATCH
        connection.send(images / (time.perf_counter() - begin))


def encode(pixels: np.ndarray) -> bytes:
    """Return a photograph as a JPEG of the size that is sent."""
    file = io.BytesIO()
    Image.fromarray(pixels).resize(JPEG_SIZE, Image.Resampling.BICUBIC).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


if __name__ == "__main__":
    main()
