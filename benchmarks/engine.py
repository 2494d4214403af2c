"""The bare engine, in a process of its own: the limit of what a server can do with a bundle."""

import contextlib
import itertools
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import photographs
from benchmarks.worker import Worker, WorkerError, running_worker
from model_server.bundle import read_bundle
from model_server.imaging import Imaging
from model_server.manifest import select_variant

BATCHES = (1, 8)
PHOTOGRAPHS = 64
WARM_UP_SECONDS = 0.5


@dataclass(frozen=True)
class Way:
    """How the engine is used: so many streams, each with batches of so many images."""

    streams: int
    batch: int

    def __str__(self) -> str:
        return f"{self.streams} stream{'s' * (self.streams > 1)} of {self.batch}"


@dataclass(frozen=True)
class EngineFigures:
    """What the engine did: the best ``way``, its images a second and CPU milliseconds an image; and one image alone."""

    way: Way
    images_per_second: float
    cpu_ms: float
    single_ms: float

    def mean(self, other: "EngineFigures") -> "EngineFigures":
        """Return the mean of what was measured before and after something else."""
        pairs = zip(self._figures(), other._figures(), strict=True)
        return EngineFigures(self.way, *(statistics.fmean(pair) for pair in pairs))

    def _figures(self) -> tuple[float, float, float]:
        return self.images_per_second, self.cpu_ms, self.single_ms


class Engine:
    """A process that has compiled the bundle, works when it is told to, and else waits."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._best: Way | None = None

    def try_all(self, seconds: float) -> dict[Way, float]:
        """Return images a second of every way, ``seconds`` each; the best is what ``measure`` uses from then on."""
        found: dict[Way, float] = self._worker.ask("try_all", seconds)
        self._best = max(found, key=lambda way: found[way])
        return found

    def measure(self, seconds: float) -> EngineFigures:
        """Measure the best way for ``seconds``, and then one image after the other for half as long."""
        if self._best is None:
            self.try_all(seconds / 2)
        figures: EngineFigures = self._worker.ask("measure", self._best, seconds)
        return figures


@contextlib.contextmanager
def running_engine(bundle: Path) -> Iterator[Engine]:
    """Start the process, which ends with the context."""
    with running_worker(BareEngine, bundle) as worker:
        yield Engine(worker)


class BareEngine:
    """OpenVINO without anything around it: preprocessed images in memory, and an asynchronous queue."""

    def __init__(self, folder: Path) -> None:
        import openvino

        bundle = read_bundle(folder)
        variant = select_variant(bundle.manifest, precision="int8", engine="openvino")
        model, weights = (bundle.read(file) for file in variant.files)
        imaging = Imaging(bundle.manifest.preprocessing)
        rows = np.stack([imaging.decode(data) for data in photographs.jpegs(PHOTOGRAPHS)])
        self._batches = {size: rows.reshape(-1, size, *rows.shape[1:]) for size in BATCHES}
        self._core = openvino.Core()
        self._network = self._core.read_model(model=model, weights=weights)
        self._threads = len(os.sched_getaffinity(0))
        self._queue_type = openvino.AsyncInferQueue
        self._queues: dict[Way, Any] = {}
        self._single = self._compile("LATENCY", 1).create_infer_request()

    def try_all(self, seconds: float) -> dict[Way, float]:
        """Return images a second of every way."""
        ways = [Way(streams, batch) for streams in sorted({1, 2, self._threads}) for batch in BATCHES]
        return {way: self._run(way, seconds)[0] for way in ways if way.streams <= self._threads}

    def measure(self, way: Way, seconds: float) -> EngineFigures:
        """Measure one way, and one image after the other."""
        images_per_second, cpu_ms = self._run(way, seconds)
        return EngineFigures(way, images_per_second, cpu_ms, self._time_single(seconds / 2))

    def _compile(self, hint: str, streams: int) -> Any:
        options = {
            "PERFORMANCE_HINT": hint,
            "NUM_STREAMS": str(streams),
            "INFERENCE_NUM_THREADS": str(self._threads),
            "INFERENCE_PRECISION_HINT": "f32",  # the accuracy in the bundle was measured so
        }
        return self._core.compile_model(self._network, "CPU", options)

    def _run(self, way: Way, seconds: float) -> tuple[float, float]:
        """Return images a second and CPU milliseconds an image; time runs from batch to batch, as for the server.

        Raises:
            WorkerError: no batch ended in the time that counts.
        """
        if way not in self._queues:
            self._queues[way] = self._queue_type(self._compile("THROUGHPUT", way.streams), way.streams + 1)
        queue, ended = self._queues[way], list[float]()
        queue.set_callback(lambda _, __: ended.append(time.perf_counter()))
        cpu, begin = time.process_time(), time.perf_counter()
        for batch in itertools.cycle(self._batches[way.batch]):
            if time.perf_counter() > begin + WARM_UP_SECONDS + seconds:
                break
            queue.start_async({0: batch}, share_inputs=True)
        queue.wait_all()
        cpu_ms = (time.process_time() - cpu) * 1000 / (len(ended) * way.batch)
        first = max((at for at in ended if at < begin + WARM_UP_SECONDS), default=begin)
        last = max((at for at in ended if at < begin + WARM_UP_SECONDS + seconds), default=begin)
        counted = sum(first < at <= last for at in ended)
        if not counted:
            raise WorkerError(f"no batch ended within {seconds:g} s; measure for longer, --seconds")
        return counted * way.batch / (last - first), cpu_ms

    def _time_single(self, seconds: float) -> float:
        """Return the median milliseconds of one image after the other."""
        times = []
        begin = time.perf_counter()
        for image in itertools.cycle(self._batches[1]):
            before = time.perf_counter()
            if before > begin + seconds:
                break
            self._single.infer({0: image}, share_inputs=True)
            times.append(time.perf_counter() - before)
        return statistics.median(times) * 1000
