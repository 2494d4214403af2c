"""Start, drain, stop: KServe's ModelServer with a lifecycle that loses no request.

KServe's own hands SIGTERM to uvicorn first and unloads every model at once; here the order is: not ready, still
serving for a while, then no new connection, then everything that was accepted is answered, then the end.
"""

import asyncio
import contextlib
import logging
import math
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import uvicorn
from starlette.applications import Starlette

from http_connection.connection import connection_type
from model_server.allocator import Allocator
from model_server.drain import Phase
from model_server.grpc_port import GrpcPort
from model_server.kserve_sdk import ModelServer
from model_server.listener import accept_the_rest, open_listener, refuse_connections
from model_server.repository import BundleRepository
from model_server.settings import Settings

logger = logging.getLogger(__name__)

LINGER_SECONDS = 0.5
"""How long connections may stay open after the last was accepted: for requests that are on their way."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the lifecycle has them


def _make_server(app: Starlette, settings: Settings) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=connection_type(settings.body_timeout_seconds),
            ws="none",
            log_config=None,
            access_log=False,
            timeout_keep_alive=settings.keep_alive_seconds,
            timeout_graceful_shutdown=math.ceil(settings.timeout_seconds) + 1,
            lifespan="off",
            server_header=False,
        )
    )


class VisionServer(ModelServer):
    """A repository's models behind an app, from the first signal to the last answer.

    Args:
        announce: called with the ports of HTTP, gRPC and metrics once every model is ready.
    """

    def __init__(
        self,
        repository: BundleRepository,
        app: Starlette,
        metrics_app: Starlette,
        grpc_port: GrpcPort,
        phase: Phase,
        settings: Settings,
        allocator: Allocator,
        announce: Callable[[int, int, int], None],
    ) -> None:
        super().__init__(
            http_port=settings.http_port,
            registered_models=repository,
            enable_grpc=False,
            enable_latency_logging=False,
            timeout_keep_alive=settings.keep_alive_seconds,
        )
        self._repository = repository
        self._grpc_port = grpc_port
        self._phase = phase
        self._settings = settings
        self._allocator = allocator
        self._announce = announce
        self._signalled = asyncio.Event()
        self._hurried = asyncio.Event()
        self._drain_delay_seconds = settings.drain_delay_seconds
        self._uvicorn, self._metrics = _make_server(app, settings), _make_server(metrics_app, settings)

    def run(self) -> None:
        """Serve until a signal ends it.

        Raises:
            StartError: a port can't be had.
            BundleError: an engine refuses a model.
        """
        host, http_port, metrics_port = self._settings.host, self._settings.http_port, self._settings.metrics_port
        with (
            closing(open_listener(host, http_port, "--http-port")) as listener,
            closing(open_listener(host, metrics_port, "--metrics-port")) as metrics_listener,
            asyncio.Runner(loop_factory=self._uvicorn.config.get_loop_factory()) as runner,
        ):
            runner.run(self._run(listener, metrics_listener))

    async def _run(self, listener: socket.socket, metrics_listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        grpc_port = await self._grpc_port.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, number)
        serving = asyncio.create_task(self._uvicorn.serve(sockets=[listener]))
        telling = asyncio.create_task(self._metrics.serve(sockets=[metrics_listener]))
        trimming = asyncio.create_task(self._allocator.trim_regularly())
        try:
            if await self._load():
                await self._grpc_port.say_ready(True)
                self._announce(listener.getsockname()[1], grpc_port, metrics_listener.getsockname()[1])
            else:
                self._drain_delay_seconds = 0.0  # it was never ready, so nobody was sent here
            await self._signalled.wait()
            await self._drain(listener)
        finally:
            self._uvicorn.should_exit = self._metrics.should_exit = self._metrics.force_exit = True
            await asyncio.gather(serving, telling)
            trimming.cancel()
            await self._grpc_port.close()
            await self._repository.stop()

    def stop(self, sig: int) -> None:
        """Begin to drain; Ctrl-C does without the delay, and a second signal without waiting for anybody."""
        if self._signalled.is_set() and not self._hurried.is_set():
            self._uvicorn.force_exit = True
            self._hurried.set()
            logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # each that is cut off would be an error of its
            waiting = len(self._uvicorn.server_state.tasks) + self._grpc_port.calls()
            logger.warning("stopping at once; requests that are cut off: %d", waiting)
        if sig == signal.SIGINT:
            self._drain_delay_seconds = 0.0
        self._phase.draining = True
        self._signalled.set()

    async def _load(self) -> bool:
        """Load every model; tell whether they are loaded, rather than a signal come."""
        loading = asyncio.create_task(self._repository.load_registered())
        signalled = asyncio.create_task(self._signalled.wait())
        await asyncio.wait((loading, signalled), return_when=asyncio.FIRST_COMPLETED)
        signalled.cancel()
        if loading.done():
            await loading
            return True
        loading.cancel()
        return False

    async def _drain(self, listener: socket.socket) -> None:
        await self._grpc_port.say_ready(False)
        if self._drain_delay_seconds:
            logger.info("draining: not ready any more, accepting requests for %g seconds", self._drain_delay_seconds)
            await self._pause(self._drain_delay_seconds)
        self._phase.stopped = True
        refuse_connections(listener)
        await self._grpc_port.refuse_calls()
        state = self._uvicorn.server_state
        if not self._hurried.is_set():
            waiting = len(state.tasks) + self._grpc_port.calls()
            cut = "; a second signal cuts them off" if waiting else ""
            logger.info("stopping: no new connections; requests that are answered first: %d%s", waiting, cut)
        await self._pause(LINGER_SECONDS)
        await accept_the_rest(listener)
        for server in self._uvicorn.servers:  # from here on who connects is refused, not left without an answer
            server.close()
        # each has a deadline, its client's or the server's, or is a load that ends
        while (state.tasks or self._grpc_port.calls()) and not self._hurried.is_set():
            await self._pause(LINGER_SECONDS / 10)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not after a second signal."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurried.wait(), seconds)
