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

import uvicorn
from kserve import ModelServer
from starlette.applications import Starlette

from model_server.drain import Phase
from model_server.errors import StartError
from model_server.repository import BundleRepository
from model_server.settings import Settings

logger = logging.getLogger(__name__)

LINGER_SECONDS = 0.5
"""How long connections may stay open after the last was accepted: for requests that are on their way."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the lifecycle has them


class VisionServer(ModelServer):
    """A repository's models behind an app, from the first signal to the last answer.

    Args:
        announce: called with the port once every model is ready.
    """

    def __init__(
        self,
        repository: BundleRepository,
        app: Starlette,
        phase: Phase,
        settings: Settings,
        announce: Callable[[int], None],
    ) -> None:
        super().__init__(
            http_port=settings.http_port,
            registered_models=repository,
            enable_grpc=False,
            enable_latency_logging=False,
            timeout_keep_alive=settings.keep_alive_seconds,
        )
        self._repository = repository
        self._phase = phase
        self._settings = settings
        self._announce = announce
        self._signalled = asyncio.Event()
        self._drain_delay_seconds = settings.drain_delay_seconds
        self._uvicorn = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                timeout_keep_alive=settings.keep_alive_seconds,
                timeout_graceful_shutdown=math.ceil(settings.timeout_seconds) + 1,
                lifespan="off",
                server_header=False,
            )
        )

    def run(self) -> None:
        """Serve until a signal ends it.

        Raises:
            StartError: the port can't be had.
            BundleError: an engine refuses a model.
        """
        listener = self._listen()
        with asyncio.Runner(loop_factory=self._uvicorn.config.get_loop_factory()) as runner:
            runner.run(self._run(listener))

    async def _run(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, number)
        serving = asyncio.create_task(self._uvicorn.serve(sockets=[listener]))
        try:
            await self._load(listener)
            await self._signalled.wait()
            await self._drain(listener)
        finally:
            self._uvicorn.should_exit = True
            await serving
            self._repository.stop()

    def stop(self, sig: int) -> None:
        """Begin to drain; Ctrl-C does without the delay, and a second signal without waiting for anybody."""
        if self._signalled.is_set():
            self._drain_delay_seconds = 0.0
            self._uvicorn.force_exit = self._uvicorn.should_exit = True
        if sig == signal.SIGINT:
            self._drain_delay_seconds = 0.0
        self._phase.draining = True
        self._signalled.set()

    async def _load(self, listener: socket.socket) -> None:
        loading = asyncio.create_task(self._repository.load_registered())
        signalled = asyncio.create_task(self._signalled.wait())
        await asyncio.wait((loading, signalled), return_when=asyncio.FIRST_COMPLETED)
        signalled.cancel()
        if loading.done():
            await loading
            self._announce(listener.getsockname()[1])
        else:
            loading.cancel()

    async def _drain(self, listener: socket.socket) -> None:
        logger.info("draining: not ready any more, accepting requests for %g seconds", self._drain_delay_seconds)
        await asyncio.sleep(self._drain_delay_seconds)
        listener.listen(0)  # no more connections queue up; those that have are accepted while we linger
        self._phase.stopped = True
        connections = self._uvicorn.server_state.connections
        logger.info("stopping: no new connections, %d still open", len(connections))
        for _ in range(10):
            await asyncio.sleep(LINGER_SECONDS / 10)
            if not connections:
                break

    def _listen(self) -> socket.socket:
        host, port = self._settings.host, self._settings.http_port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            raise StartError(
                f"can't listen on {host}:{port}: {error.strerror}; "
                "end what listens there or choose another with --http-port (0 picks a free one)"
            ) from error
        listener.setblocking(False)
        return listener
