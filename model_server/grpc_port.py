"""The gRPC port: the inference service, health checking and reflection, from the first call to the last answer."""

import asyncio

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from model_server.codec.grpc_messages import POOL, SERVICE_NAME
from model_server.listener import cannot_listen
from model_server.procedures import InferenceHandler

PING_SECONDS = 5
"""How often an idle client may ask whether the connection still stands; gRPC's own limit is five minutes."""
LAST_ANSWER_SECONDS = 24 * 3600
"""Longer than any call: the end of those that are under way is waited for elsewhere."""


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
        self._health = health.aio.HealthServicer()

    async def start(self) -> int:
        """Listen, not ready yet; return the port.

        Raises:
            StartError: it can't be had.
        """
        self._server = grpc.aio.server(options=self._options)
        self._server.add_generic_rpc_handlers((self._handler,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server, pool=POOL)
        address = f"[{self._host}]" if ":" in self._host else self._host
        try:
            port: int = self._server.add_insecure_port(f"{address}:{self._port}")
        except RuntimeError as error:
            raise cannot_listen(self._host, self._port, "--grpc-port", error) from error
        await self.say_ready(False)
        await self._server.start()
        return port

    async def say_ready(self, ready: bool) -> None:
        """Answer health checks, of the server and of the inference service."""
        status = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for service in ("", SERVICE_NAME):
            await self._health.set(service, status)

    def refuse_calls(self) -> None:
        """Tell every client to go, and take no more calls; those under way go on."""
        self._ending = asyncio.create_task(self._server.stop(LAST_ANSWER_SECONDS))

    def is_idle(self) -> bool:
        """Tell whether no call of the inference service is under way."""
        return not self._handler.active

    async def close(self) -> None:
        """End what is left: health checks that watch, and calls that nobody waits for any more."""
        await self._server.stop(None)
