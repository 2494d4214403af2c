from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from streams import App, Sink
from uvicorn.server import ServerState

from http_connection.connection import Connection, connection_type


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def sink() -> Sink:
    return Sink()


@pytest.fixture
async def connection(app: App, sink: Sink) -> AsyncIterator[Connection]:
    config = uvicorn.Config(app, ws="none", log_config=None, lifespan="off")
    config.load()
    made: Any = connection_type(30.0)(config=config, server_state=ServerState(), app_state={})  # type: ignore[call-arg]
    made.connection_made(sink)
    yield made
    made.connection_lost(None)
