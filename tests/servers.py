"""The server as a process of its own, on a free port of 127.0.0.1."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 120
FREE_PORTS = ("--http-port", "0", "--grpc-port", "0", "--metrics-port", "0")


@dataclass
class Server:
    """A running server. ``log`` is the file with everything that it printed."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def grpc_address(self) -> str:
        """Return where its gRPC port is."""
        return self._told("gRPC")

    @property
    def metrics_url(self) -> str:
        """Return where its metrics are."""
        return self._told("Metrics")

    def _told(self, what: str) -> str:
        found = re.search(rf"^{what} +(\S+)", self.log.read_text(), re.MULTILINE)
        assert found
        return found[1]

    def terminate(self, number: int = signal.SIGTERM, timeout: float = 60) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout)


def start_server(
    log: Path, *arguments: str, wait_for: str = r"Address +(\S+)", program: Sequence[str] = ("-m", "model_server")
) -> Server:
    """Start ``python -m model_server`` and wait until it says where it listens."""
    return _start(log, [*program, "--host", "127.0.0.1", *FREE_PORTS, *arguments], wait_for)


def start_frontend(catalogue: Path, *arguments: str) -> Server:
    """Start ``python -m frontend`` over a catalogue's file, and wait until it says where its page is."""
    command = ["-m", "frontend", "--host", "127.0.0.1", "--port", "0", "--catalogue", str(catalogue), *arguments]
    return _start(catalogue.with_name("frontend.log"), command, r"Page +(\S+)")


def write_catalogue(path: Path, models: dict[str, str]) -> Path:
    """Write the models' addresses, by id; as a mounted ConfigMap is renewed, another file takes the name's place."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"models": [{"id": name, "url": url} for name, url in models.items()]}))
    return fresh.replace(path)


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(log: Path, arguments: Sequence[str], wait_for: str) -> Server:
    # bytecode is worth four of six seconds at every start
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**environment, "PYTHONUNBUFFERED": "1"},
        )
    deadline = time.monotonic() + START_SECONDS
    while not (found := re.search(wait_for, log.read_text(errors="replace"))):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.02)
    return Server(process, found[1], log)


@contextlib.contextmanager
def running_server(
    log: Path, *arguments: str, wait_for: str = r"Address +(\S+)", program: Sequence[str] = ("-m", "model_server")
) -> Iterator[Server]:
    """Start a server, and end it afterwards whatever happened."""
    server = start_server(log, *arguments, wait_for=wait_for, program=program)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def wait_until(condition, seconds: float = 30, pause: float = 0.02) -> None:
    """Poll a condition until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not hold within {seconds} seconds"
        time.sleep(pause)


def is_ready(url: str) -> bool:
    """Tell whether the server says that it is ready."""
    try:
        return httpx.get(f"{url}/v2/health/ready").status_code == 200
    except httpx.TransportError:
        return False
