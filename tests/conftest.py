"""Fixtures that several tiers of tests share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # bundles.py and servers.py

from bundles import write_colour_bundle
from servers import Server, running_server


@pytest.fixture(scope="session")
def colour_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that names an image's strongest colour; not to be changed."""
    return write_colour_bundle(tmp_path_factory.mktemp("bundles") / "colours")


@pytest.fixture(scope="session")
def colour_server(colour_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of that bundle; its first variant takes uint8 pixels."""
    with running_server(tmp_path_factory.mktemp("log") / "server.log", "--models", str(colour_bundle)) as server:
        yield server
