"""HTTP over bare sockets, for requests that no client library would send."""

import http.client
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx
from doors import ANSWER_SECONDS


class Wire:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._received: BinaryIO = connection.makefile("rb")

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def end_sending(self) -> None:
        """Say that nothing more will come, and go on listening."""
        self.connection.shutdown(socket.SHUT_WR)

    def read(self) -> httpx.Response:
        """Read one answer; it must say how long it is."""
        status_line = self._received.readline()
        assert status_line.startswith(b"HTTP/1.1 "), f"no answer but {status_line!r}"
        status = int(status_line.split()[1])
        headers = http.client.parse_headers(self._received)
        body = b"" if status < 200 else self._received.read(int(headers["content-length"]))
        return httpx.Response(status, headers=dict(headers), content=body)

    def is_at_end(self) -> bool:
        """Tell whether the server hung up; wait until it does or says something."""
        return not self._received.read(1)


@contextmanager
def wire(url: str) -> Iterator[Wire]:
    """Connect to a server."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), ANSWER_SECONDS) as connection:
        yield Wire(connection)


def reset(connection: socket.socket) -> None:
    """Hang up rudely: the other side sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
