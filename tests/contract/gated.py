"""The app with an engine behind a gate, on a clock of its own: what waits stays waiting until a test opens it."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
import numpy as np
import uvicorn
from bundles import COLOURS, GAIN
from doors import ANSWER_SECONDS, Call
from pictures import GREEN, RED

from model_server.authorization import Authorization
from model_server.batching import Batcher
from model_server.bundle import Bundle
from model_server.classifier import Classifier
from model_server.drain import Phase
from model_server.errors import QueueFull
from model_server.grpc_calls import InferenceHandler
from model_server.grpc_port import GrpcPort
from model_server.imaging import Imaging
from model_server.manifest import Variant, select_variant
from model_server.metrics import Metrics, ModelMetrics
from model_server.procedures import Procedures
from model_server.repository import BundleRepository
from model_server.routes import build_app
from model_server.types import Float32Array, Rows

BATCH_SECONDS = 1.0
"""What every batch takes on the engine's clock, whatever its size."""
MAX_BATCH, QUEUE_SIZE, TIMEOUT_SECONDS = 2, 4, 10.0

T = TypeVar("T")


class Clock:
    """Seconds that pass only when the engine works."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class GatedEngine:
    """Names colours as the colour bundle does. ``batches`` are the labels that it saw, one list for each batch."""

    def __init__(self, clock: Clock, *, fails: bool = False) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[list[str]] = []
        self.entered = 0
        self.fails = fails
        self._clock = clock

    def infer(self, rows: Rows) -> Float32Array:
        self.entered += 1
        assert self.gate.wait(ANSWER_SECONDS)
        self._clock.seconds += BATCH_SECONDS
        if self.fails:
            raise RuntimeError("the engine is on fire")
        logits = rows.mean(axis=(1, 2), dtype=np.float32) * np.float32(GAIN / 255)
        self.batches.append([list(COLOURS)[index] for index in logits.argmax(axis=1)])
        return logits


@dataclass
class Gated:
    """A server's parts in this process. Its model is registered, and loads when it is told to."""

    bundle: Path
    pool: Executor
    max_batch: int = MAX_BATCH
    queue_size: int = QUEUE_SIZE
    phase: Phase = field(default_factory=Phase)
    builds_fail: bool = False

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.engines: list[GatedEngine] = []
        self.metrics = Metrics()
        self.repository = BundleRepository(self._build, select_variant, self.metrics, max_images=self.queue_size)
        self.repository.register(self.bundle)
        self.app = build_app(
            self.repository,
            self.phase,
            Authorization(None),
            max_body_bytes=1 << 20,
            body_timeout_seconds=30,
            access_log=False,
        )

    @property
    def engine(self) -> GatedEngine:
        """The one that was built last."""
        return self.engines[-1]

    def _build(self, bundle: Bundle, variant: Variant, metrics: ModelMetrics) -> Classifier:
        self.engines.append(GatedEngine(self.clock, fails=self.builds_fail))
        self.batcher = Batcher(
            self.engine.infer,
            max_batch=self.max_batch,
            queue_size=self.queue_size,
            metrics=metrics,
            clock=self.clock,
        )
        return Classifier(
            bundle,
            variant,
            imaging=Imaging(bundle.manifest.preprocessing),
            batcher=self.batcher,
            metrics=metrics,
            pool=self.pool,
            max_images=self.queue_size,
            default_timeout_seconds=TIMEOUT_SECONDS,
            clock=self.clock,
        )

    async def load(self) -> None:
        """Load the model, then shut the gate in front of its engine."""
        await self.repository.load_registered()
        self.shut()

    def shut(self) -> None:
        """Shut the gate in front of the newest engine, as if it had done nothing yet."""
        self.engine.batches.clear()
        self.engine.entered = 0
        self.engine.gate.clear()

    def free_places(self) -> int:
        """Return how many images more would be admitted."""
        for rows in range(self.queue_size, 0, -1):
            try:
                with self.batcher.admit(rows, self.clock() + 1e6):
                    return rows
            except QueueFull:
                pass
        return 0

    def waiting_rows(self) -> int:
        """Return how many decoded images wait for the engine."""
        return sum(not row.place.answered() for row in self.batcher._queue)

    async def fill(self, ask: "Callable[[bytes], asyncio.Task[T]]", images: int) -> "list[asyncio.Task[T]]":
        """Ask about so many images, each by itself: the engine has the first, a red one, and green ones wait for it."""
        asked = [ask(RED)]
        await eventually(lambda: self.engine.entered == 1)
        asked += [ask(GREEN) for _ in range(images - 1)]
        await eventually(lambda: self.waiting_rows() == images - 1)
        return asked

    async def finish(self, asked: "list[asyncio.Task[T]]") -> list[T]:
        """Open the gate, which nothing has passed, and return the answers."""
        assert not any(answer.done() for answer in asked)
        self.engine.gate.set()
        return await asyncio.gather(*asked)

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """Return a client that reaches the app without a network."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://gated") as client:
            yield client

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Serve the app on a port of this machine and return its URL."""
        server = _Server(uvicorn.Config(self.app, log_config=None, access_log=False, lifespan="off"))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await eventually(lambda: server.started)
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                await serving

    @contextlib.asynccontextmanager
    async def calling(self) -> AsyncIterator[tuple[GrpcPort, str]]:
        """Serve gRPC on a port of this machine and return it with its address."""
        procedures = Procedures(self.repository, Authorization(None), self.phase).by_name()
        handler = InferenceHandler(procedures, self.phase, body_timeout_seconds=30, access_log=False)
        port = GrpcPort(handler, "127.0.0.1", 0, max_message_bytes=1 << 20, connect_seconds=30)
        number = await port.start()
        try:
            yield port, f"127.0.0.1:{number}"
        finally:
            await port.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # they are pytest's


@contextlib.asynccontextmanager
async def gated(bundle: Path, **changes: int) -> AsyncIterator[Gated]:
    """Return the parts of a server, loaded, its gate shut."""
    with ThreadPoolExecutor(2) as pool:
        parts = Gated(bundle, pool, **changes)
        try:
            await parts.load()
            yield parts
        finally:
            for engine in parts.engines:
                engine.gate.set()
            await parts.repository.stop()


async def eventually(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until a condition holds, letting everything else go on."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


def ask(client: httpx.AsyncClient, call: Call) -> "asyncio.Task[httpx.Response]":
    """Send a request and do not wait for its answer."""
    return asyncio.create_task(call.send_async(client))
