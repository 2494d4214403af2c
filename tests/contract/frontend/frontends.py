"""The frontend as a process of its own, before models that the test makes up."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
from aiohttp import web
from servers import start_frontend, write_catalogue

MAX_BODY_BYTES = 4 << 20
PICTURE = b"a picture"
LARGE = b"\xff" * (1 << 20)
LIMITS = ("--max-body-bytes", str(MAX_BODY_BYTES), "--body-timeout-seconds", "1", "--timeout-seconds", "1")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Model:
    """A server that answers for every model; what it was asked is kept, and ``answer`` can be another."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.ready = web.json_response
        self.answer: Answer = self.predict
        self.app = web.Application(client_max_size=1 << 30)
        self.app.router.add_get("/v2/models/{model}/ready", self._say_ready)
        self.app.router.add_route("*", "/model/{rest:.*}", self._answer)

    async def predict(self, request: web.Request) -> web.Response:
        """Say how long the body is."""
        body = await request.read()
        self.bodies.append(body)
        headers = {"Server-Timing": "model;dur=1.5", "Set-Cookie": "theirs=1", "Server": "theirs"}
        return web.json_response({"bytes": len(body)}, headers=headers)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return await self.answer(request)

    async def _say_ready(self, _: web.Request) -> web.Response:
        return self.ready({"ready": True})


class Frontend:
    """A running frontend; ``models`` are written into its catalogue's file."""

    def __init__(self, folder: Path, models: dict[str, str], *options: str) -> None:
        self._file = write_catalogue(folder / "models.json", models)
        server = start_frontend(self._file, *options)
        self.process, self.url, self.log = server.process, server.url, server.log

    def write(self, models: dict[str, str]) -> None:
        """Change the catalogue."""
        write_catalogue(self._file, models)

    @property
    def port(self) -> int:
        """Return its port on 127.0.0.1."""
        return int(self.url.rpartition(":")[2])


@contextlib.contextmanager
def running_frontend(folder: Path, models: dict[str, str], *options: str) -> Iterator[Frontend]:
    """Start one, and end it whatever happened; it may not have failed in between."""
    frontend = Frontend(folder, models, *options)
    try:
        yield frontend
    finally:
        if frontend.process.poll() is None:
            frontend.process.kill()
            frontend.process.wait()
    assert "Traceback" not in frontend.log.read_text()


async def exchange(port: int, *parts: bytes, pause: float = 0) -> bytes:
    """Send bytes, and return all that comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(pause)
    answer = await reader.read()
    writer.close()
    return answer


def said(answer: httpx.Response, status: int) -> str:
    """Return the words of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert ("retry-after" in answer.headers) == (status in (502, 503, 504))
    return answer.json()["error"]
