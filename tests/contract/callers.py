"""Callers over bare sockets, who notice what became of every request: no retries, no pool, nothing smoothed over."""

import asyncio
import base64
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

ANSWER_SECONDS = 60
MOST_REQUESTS = 20_000


@dataclass(frozen=True)
class Question:
    """A whole HTTP request, and what tells whether an answer's JSON is the right one."""

    request: bytes
    is_right: Callable[[dict], bool]


@dataclass
class Diary:
    """What the callers of one server saw. ``offences`` are the requests that were lost or answered wrongly."""

    drain_delay_seconds: float
    signalled_at: float | None = None
    exit_status: int | None = None
    seen: Counter[str] = field(default_factory=Counter)
    offences: list[str] = field(default_factory=list)

    def file(self, status: int, headers: dict[str, str], body: bytes, question: Question) -> None:
        """Note an answer: right, or a 503 that may be given once the drain delay is over."""
        if status == 200 and question.is_right(json.loads(body)):
            self.seen["right"] += 1
        elif status == 503 and "retry-after" in headers and self.delay_is_over():
            self.seen["refused"] += 1
        else:
            self.offend(f"answered {status} {headers} {body[:300]!r}")

    def offend(self, what: str) -> None:
        """Note what must not happen, and when it did."""
        when = (
            "before the signal" if self.signalled_at is None else f"{time.monotonic() - self.signalled_at:.3f} s after"
        )
        self.offences.append(f"{what} ({when})")

    def note(self, what: str) -> None:
        """Count what may happen."""
        self.seen[what] += 1

    def delay_is_over(self) -> bool:
        """Tell whether new requests may be refused."""
        return self.signalled_at is not None and time.monotonic() >= self.signalled_at + self.drain_delay_seconds


class Caller:
    """One client, one connection at a time.

    Args:
        url: of the server.
        questions: of which it asks one after the other, in an order that the seed decides.
        keep_alive: whether it asks again on the same connection.
        longest_pause_seconds: how long it thinks at most before it asks again.
    """

    def __init__(
        self,
        url: str,
        diary: Diary,
        questions: Iterable[Question],
        seed: int,
        *,
        keep_alive: bool,
        longest_pause_seconds: float,
    ) -> None:
        self._url = url
        self._diary = diary
        self._questions = list(questions)
        self._random = random.Random(seed)
        self._keep_alive = keep_alive
        self._longest_pause_seconds = longest_pause_seconds
        self._connection: socket.socket | None = None

    async def ask_until_refused(self) -> None:
        """Ask until no connection is to be had any more."""
        try:
            for _ in range(MOST_REQUESTS):
                if not await self._ask(self._random.choice(self._questions)):
                    return
                await asyncio.sleep(self._random.uniform(0, self._longest_pause_seconds))
            self._diary.offend(f"still served after {MOST_REQUESTS} requests")
        finally:
            self._hang_up()

    async def _ask(self, question: Question) -> bool:
        """Ask once; tell whether it is worth going on."""
        if self._connection is not None and self._has_ended(self._connection):
            self._hang_up()
        if self._connection is None and not await self._connect():
            return False
        try:
            # right after the look whether the server hung up: nothing is awaited between the two
            sent = self._connection.send(question.request)
            await asyncio.get_running_loop().sock_sendall(self._connection, question.request[sent:])
            async with asyncio.timeout(ANSWER_SECONDS):
                status, headers, body = await read_answer(self._connection)
        except (OSError, EOFError, TimeoutError) as error:
            self._diary.offend(f"no answer: {error!r}")
            self._hang_up()
            return True
        self._diary.file(status, headers, body, question)
        if not self._keep_alive or headers.get("connection", "").lower() == "close":
            self._hang_up()
        return True

    async def _connect(self) -> bool:
        try:
            self._connection = await open_connection(self._url)
        except (OSError, TimeoutError) as error:
            if not isinstance(error, ConnectionRefusedError) or self._diary.signalled_at is None:
                self._diary.offend(f"no connection: {error!r}")
            return False
        return True

    def _has_ended(self, connection: socket.socket) -> bool:
        try:
            ended = not connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError as error:
            self._diary.offend(f"an idle connection broke: {error!r}")
            return True
        if not ended:
            self._diary.offend("bytes that nobody asked for")
        self._diary.seen["closed while idle"] += 1
        return True

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


async def open_connection(url: str) -> socket.socket:
    """Connect to the server."""
    parts = urlsplit(url)
    connection = socket.socket()
    connection.setblocking(False)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.get_running_loop().sock_connect(connection, (parts.hostname, parts.port))
    except BaseException:
        connection.close()
        raise
    return connection


async def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer, with its Content-Length.

    Raises:
        EOFError: the connection ended before the answer did.
    """
    received = b""
    while b"\r\n\r\n" not in received:
        received += await _receive(connection, received)
    head, body = received.split(b"\r\n\r\n", 1)
    status_line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += await _receive(connection, received + body)
    return int(status_line.split()[1]), headers, body


async def _receive(connection: socket.socket, before: bytes) -> bytes:
    part = await asyncio.get_running_loop().sock_recv(connection, 65536)
    if not part:
        raise EOFError(f"the connection ended after {before!r}")
    return part


def write_request(path: str, content_type: str, body: bytes, *headers: str) -> bytes:
    """Write an HTTP POST."""
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *headers,
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def ask_every_door(model: str, image: bytes, label: str) -> list[Question]:
    """Return the questions for one image's label through the doors that take small requests."""
    text = base64.b64encode(image).decode()
    v1 = json.dumps({"instances": [{"image": {"b64": text}}]}).encode()
    v2 = json.dumps({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [text]}]}).encode()
    return [
        Question(
            write_request(f"/model/{model}/predict", "image/png", image),
            lambda answer: answer["predictions"][0]["label"] == label,
        ),
        Question(
            write_request(f"/v1/models/{model}:predict", "application/json", v1),
            lambda answer: answer["predictions"][0][0]["label"] == label,
        ),
        Question(
            write_request(f"/v2/models/{model}/infer", "application/json", v2),
            lambda answer: answer["outputs"][0]["data"][0] == label,
        ),
    ]
