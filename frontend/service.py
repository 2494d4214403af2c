"""The frontend as a process: its port, and how it begins and ends."""

import logging
import socket
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType

import aiohttp
import uvicorn

from frontend.catalogue import Catalogue, CatalogueFile, GatewayCatalogue
from frontend.errors import StartError
from frontend.routes import build_app
from frontend.settings import Settings
from http_connection.connection import connection_type

logger = logging.getLogger(__name__)

RECEIVED_BYTES = 32 << 10
"""What the kernel keeps of a connection until it is read, which is then read at once: memory, times the uploads."""


def serve(settings: Settings, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Answer on a port until SIGTERM or SIGINT; requests that have begun are finished.

    Raises:
        StartError: the catalogue can't be read.
    """
    _configure_logging()
    app = build_app(settings, _choose_catalogue(settings))
    config = uvicorn.Config(
        app,
        http=connection_type(settings.body_timeout_seconds),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=round(settings.body_timeout_seconds + settings.timeout_seconds) + 1,
    )
    server = _Server(config)
    server.announce = announce
    server.run(sockets=[listener])


def open_listener(host: str, port: int, option: str) -> socket.socket:
    """Listen on an address; port 0 picks a free one, and ``option`` chose it. Nothing is accepted yet.

    Raises:
        StartError: it can't be had.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_BYTES)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise StartError(
            f"can't listen on {host}:{port}: {error.strerror}; end what listens there, or choose another port with "
            f"{option} (0 picks a free one)"
        ) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the address that a browser reaches the port at."""
    host, port = listener.getsockname()[:2]
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104 - compared with
    return f"http://{host}:{port}"


class _Server(uvicorn.Server):
    announce: Callable[[], None]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Say who is waited for; a second Ctrl-C waits for nobody."""
        waiting = len(self.server_state.tasks)
        super().handle_exit(sig, frame)
        if self.force_exit:
            logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # each that is cut off would be an error of its
            logger.warning("stopping at once; requests that are cut off: %d", waiting)
        elif waiting:
            logger.info("stopping; requests that are answered first: %d (a second Ctrl-C cuts them off)", waiting)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.announce()


def _choose_catalogue(settings: Settings) -> Callable[[aiohttp.ClientSession], Catalogue]:
    if settings.catalogue is None:
        return partial(GatewayCatalogue, settings.gateway or "")
    file = CatalogueFile(settings.catalogue, settings.gateway)
    return lambda _: file


def _configure_logging() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO, force=True)
    access = logging.getLogger("frontend.access")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    access.addHandler(handler)
    access.propagate = False
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
