"""gRPC's health checking: https://github.com/grpc/grpc/blob/master/doc/health-checking.md.

An own servicer, because grpc_health's forgets everybody who watches a service when one of them leaves.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from model_server.excerpt import shorten


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """Whether the services serve: all of them or none.

    Args:
        services: their names; an empty one stands for the whole server.
    """

    def __init__(self, services: Sequence[str]) -> None:
        self._services = services
        self._serving = False
        self._changed = asyncio.Condition()

    async def say(self, serving: bool) -> None:
        """Tell everybody who watches."""
        async with self._changed:
            self._serving = serving
            self._changed.notify_all()

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Answer once; a service that is not there is NOT_FOUND."""
        if request.service not in self._services:
            there_are = ", ".join(filter(None, self._services))
            message = f"service {shorten(request.service)} is not there; there are: {there_are}, and '' for all"
            await context.abort(grpc.StatusCode.NOT_FOUND, message)
        return health_pb2.HealthCheckResponse(status=self._status(request.service))

    async def Watch(self, request: Any, _: Any) -> AsyncIterator[Any]:  # noqa: N802 - the protocol's name
        """Answer now, and again whenever it changes."""
        said = None
        while True:
            status = self._status(request.service)
            if status != said:
                yield health_pb2.HealthCheckResponse(status=status)
                said = status
            async with self._changed:
                while self._status(request.service) == said:
                    await self._changed.wait()

    def _status(self, service: str) -> Any:
        statuses = health_pb2.HealthCheckResponse
        if service not in self._services:
            return statuses.SERVICE_UNKNOWN
        return statuses.SERVING if self._serving else statuses.NOT_SERVING
