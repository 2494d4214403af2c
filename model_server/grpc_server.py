"""grpc's server, made to outlive a call of a method whose name is not UTF-8.

grpc.aio reads the name of every method that was not registered with it, and stops for good where it can't: one call by
anybody would close the port. So every method that there is must be registered, and the names of others are not read.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
from grpc._cython import cygrpc


def make_server(options: Sequence[tuple[str, int]], strangers: Any) -> grpc.aio.Server:
    """Return a server of registered methods.

    Args:
        options: gRPC's channel arguments, by name.
        strangers: handles every call of a method that is not registered.
    """
    server = grpc.aio.server(options=options)
    server._server = _Core(server._loop, options, strangers)
    return server


class _Anything(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def service(self, _: Any) -> Any:
        return self._handler


class _Core(cygrpc.AioServer):  # type: ignore[misc]
    def __init__(self, loop: asyncio.AbstractEventLoop, options: Sequence[tuple[str, int]], strangers: Any) -> None:
        super().__init__(loop, None, (), (), options, None)
        self._resolver = cygrpc._MethodResolver([_Anything(strangers)], {})
        self._calls: set[asyncio.Task[None]] = set()

    def _make_request_call_future(self, method: bytes | None) -> "asyncio.Future[Any]":
        if method is None:
            return asyncio.create_task(self._take_strangers())
        future: asyncio.Future[Any] = super()._make_request_call_future(method)
        return future

    async def _take_strangers(self) -> None:
        while True:
            call = await self._request_call()
            loop = asyncio.get_running_loop()
            handling = cygrpc._handle_rpc("", self._resolver, (), call, loop, False)
            task = loop.create_task(cygrpc._schedule_rpc_coro(handling, call, loop, ""))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
