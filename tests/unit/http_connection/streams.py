"""A client's side of a connection, and an app behind it."""

import asyncio
import random
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from http_connection.connection import Connection

BODY = random.Random(0).randbytes(700_000)
HEAD = b"POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
SECOND = b"POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


class Sink(asyncio.Transport):
    """A transport that keeps what is written, and whether it is to read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reads = True
        self.closed = self.half_closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def write_eof(self) -> None:
        self.closed = self.half_closed = True

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


class App:
    """Keeps what it gets, once it may."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.pieces: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.may_read.wait()
        pieces = [piece async for piece in Request(scope, receive).stream()]
        self.pieces += pieces
        self.bodies.append((scope["path"], b"".join(pieces)))
        await PlainTextResponse("thanks")(scope, receive, send)


def cut(data: bytes, sizes: Iterable[int]) -> Iterable[bytes]:
    for size in sizes:
        piece, data = data[:size], data[size:]
        if piece:
            yield piece
    if data:
        yield data


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def feed(connection: Connection, sink: Sink, data: bytes, sizes: Iterable[int]) -> None:
    """Send as a transport does: nothing while it is not to read."""
    for piece in cut(data, sizes):
        await until(lambda: sink.reads)
        connection.data_received(piece)
        await asyncio.sleep(0)
