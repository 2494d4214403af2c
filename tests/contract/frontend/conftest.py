"""One frontend, before a model that the test makes up and one that is down."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from aiohttp.test_utils import TestServer
from frontends import LIMITS, Frontend, Model, running_frontend
from servers import free_port


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    found = Model()
    async with TestServer(found.app) as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frontend]:
    with running_frontend(tmp_path_factory.mktemp("frontend"), {}, *LIMITS) as found:
        yield found


@pytest.fixture
def frontend(running: Frontend, model: Model) -> Frontend:
    """The one frontend, before this test's model."""
    running.write({"cats": model.url, "none": f"http://127.0.0.1:{free_port()}"})
    return running


@pytest.fixture
async def client(frontend: Frontend) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=frontend.url, timeout=30) as found:
        yield found
