"""A thousand clients that send slowly: the frontend stays small, and somebody else's picture is answered meanwhile."""

import asyncio
import sys
from pathlib import Path

import httpx
import pytest
from aiohttp.test_utils import TestServer
from frontends import Model, running_frontend

CLIENTS = 1000
MAX_BYTES = 300_000_000
BODY_BYTES = 4_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak memory in /proc")
@pytest.mark.parametrize("arrived", [20_000, 400_000], ids=["held", "flowing"])
async def test_a_thousand_slow_uploads_take_little_and_hold_nobody_up(tmp_path: Path, arrived: int) -> None:
    model = Model()
    async with TestServer(model.app) as server:
        models = {"cats": str(server.make_url("")).rstrip("/")}
        with running_frontend(tmp_path, models, "--body-timeout-seconds", "300") as frontend:
            begun = await asyncio.gather(*(begin(frontend.port, arrived) for _ in range(CLIENTS)))
            async with httpx.AsyncClient(base_url=frontend.url, timeout=60) as client:
                answer = await client.post("/model/cats/predict", content=b"a picture")
            assert answer.json() == {"bytes": len(b"a picture")}
            assert peak_bytes(frontend.process.pid) <= MAX_BYTES
            for writer in begun:
                writer.close()
        async with asyncio.timeout(20):
            while server.runner.server.connections:  # or some would be collected before they are closed
                await asyncio.sleep(0.01)


async def begin(port: int, arrived: int) -> asyncio.StreamWriter:
    """Send the head of an upload and some of its body; all of that has been taken when it returns."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.transport.set_write_buffer_limits(high=0)
    writer.write(f"POST /model/cats/predict HTTP/1.1\r\nHost: page\r\nContent-Length: {BODY_BYTES}\r\n\r\n".encode())
    for _ in range(20):
        writer.write(b"\xff" * (arrived // 20))
        await writer.drain()
    return writer


def peak_bytes(pid: int) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
