"""What the page stands on: models and a frontend before them, as processes of their own."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from servers import START_SECONDS

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "models/digits"


@contextlib.contextmanager
def running_frontend(folder: Path, models: dict[str, str], *arguments: str) -> Iterator[str]:
    """Start a frontend over models, by id and address, and give its address."""
    catalogue = folder / "models.json"
    catalogue.write_text(json.dumps({"models": [{"id": name, "url": url} for name, url in models.items()]}))
    log = folder / "frontend.log"
    command = [sys.executable, "-m", "frontend", "--host", "127.0.0.1", "--port", "0", "--catalogue", str(catalogue)]
    with log.open("wb") as file:
        process = subprocess.Popen([*command, *arguments], stdout=file, stderr=subprocess.STDOUT)
    try:
        yield _wait_for_address(process, log)
    finally:
        process.kill()
        process.wait()


def _wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not (found := re.search(r"Page +(\S+)", log.read_text(errors="replace"))):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the frontend did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.02)
    return found[1]


def free_port() -> int:
    """Return a port that is free now, for a server that is to come back at the same address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def all_ready(url: str) -> bool:
    """Tell whether the frontend finds every model ready."""
    return httpx.get(f"{url}/v2/health/ready").status_code == 200
