"""The gRPC port: the inference service, health checking and reflection, from the first call to the last answer."""

import asyncio

from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from model_server.codec.grpc_messages import POOL, SERVICE_NAME
from model_server.grpc_calls import InferenceHandler
from model_server.grpc_server import make_server
from model_server.health import Health
from model_server.listener import cannot_listen

PING_SECONDS = 5
"""How often an idle client may ask whether the connection still stands; gRPC's own limit is five minutes."""
LAST_ANSWER_SECONDS = 24 * 3600
"""Longer than any call: the end of those that are under way is waited for elsewhere."""
HOLD_SECONDS = 0.3
"""How long calls are held before clients are told to go, so that hardly one is just sending another."""
GOING_SECONDS = 0.05
"""How long a client may need to hear it."""


class GrpcPort:
    """One gRPC server.

    Args:
        handler: the inference service.
        host, port: where to listen; port 0 picks a free one.
        max_message_bytes: of a request.
        connect_seconds: time for a client to open a connection.
    """

    def __init__(
        self, handler: InferenceHandler, host: str, port: int, *, max_message_bytes: int, connect_seconds: float
    ) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._options = (
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 1000 * PING_SECONDS),
            ("grpc.server_handshake_timeout_ms", int(1000 * connect_seconds)),
        )
        self._health = Health(("", SERVICE_NAME))

    async def start(self) -> int:
        """Listen, not ready yet; return the port.

        Raises:
            StartError: it can't be had.
        """
        self._server = make_server(self._options, self._handler.strangers())
        self._server.add_registered_method_handlers(SERVICE_NAME, self._handler.methods())
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server, pool=POOL)
        address = f"[{self._host}]" if ":" in self._host else self._host
        try:
            port: int = self._server.add_insecure_port(f"{address}:{self._port}")
        except RuntimeError as error:
            raise cannot_listen(self._host, self._port, "--grpc-port", error) from error
        await self._server.start()
        return port

    async def say_ready(self, ready: bool) -> None:
        """Answer health checks, of the server and of the inference service."""
        await self._health.say(ready)

    async def refuse_calls(self) -> None:
        """Tell every client to go, and refuse the calls that came since the server stopped; those before go on.

        gRPC's core passes over a call that comes just after it told a client to go, but says that it had it: the client
        waits for the connection to end and then knows nothing. So calls are held for a while first: whoever waits for
        an answer sends nothing.
        """
        await asyncio.sleep(HOLD_SECONDS)
        self._ending = asyncio.create_task(self._server.stop(LAST_ANSWER_SECONDS))
        await asyncio.sleep(GOING_SECONDS)
        self._handler.dismiss()

    def calls(self) -> int:
        """Return how many calls of the inference service are under way."""
        return self._handler.active

    async def close(self) -> None:
        """End what is left: health checks that watch, and calls that nobody waits for any more."""
        await self._server.stop(None)
