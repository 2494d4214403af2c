"""What the page stands on: models and a frontend before them, as processes of their own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
from servers import start_frontend, write_catalogue

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "models/digits"


@contextlib.contextmanager
def running_frontend(folder: Path, models: dict[str, str], *arguments: str) -> Iterator[str]:
    """Start a frontend over models, by id and address, and give its address."""
    frontend = start_frontend(write_catalogue(folder / "models.json", models), *arguments)
    try:
        yield frontend.url
    finally:
        frontend.process.kill()
        frontend.process.wait()


def all_ready(url: str) -> bool:
    """Tell whether the frontend finds every model ready."""
    return httpx.get(f"{url}/v2/health/ready").status_code == 200
