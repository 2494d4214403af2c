"""The port: nobody who was let in is reset when it is given up."""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

import pytest
import uvloop

from model_server.listener import accept_the_rest, open_listener, refuse_connections

CLIENTS = 40
GREETING = b"welcome"


class Greeter(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        writer = cast(asyncio.WriteTransport, transport)  # uvloop's is none by its type
        writer.write(GREETING)
        writer.close()


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_who_is_connected_is_accepted_before_the_listener_is_closed(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    with asyncio.Runner(loop_factory=make_loop) as runner:
        clients = runner.run(_connect_and_close())
    for client in clients:
        with client:
            assert client.recv(len(GREETING)) == GREETING


async def _connect_and_close() -> list[socket.socket]:
    """Connect many clients without a turn of the loop in between, as one that is held up sees them, and close."""
    listener = open_listener("127.0.0.1", 0, "--http-port")
    address = listener.getsockname()
    server = await asyncio.get_running_loop().create_server(Greeter, sock=listener, backlog=CLIENTS)
    clients = [socket.create_connection(address, 10) for _ in range(CLIENTS)]
    refuse_connections(listener)
    await accept_the_rest(listener)
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 10)
    return clients
