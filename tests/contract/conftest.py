"""Servers that the contract tests share; whoever borrows one sees that it is unharmed afterwards."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import grpc_doors
import httpx
import pytest
from bundles import write_quadrant_bundle
from doors import ANSWER_SECONDS, SMALL, unharmed
from servers import Server, running_server


def _client(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=ANSWER_SECONDS, trust_env=False)


@pytest.fixture(scope="session")
def tensor_server(colour_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose model takes FP32 tensors too."""
    log = tmp_path_factory.mktemp("log") / "server.log"
    with running_server(log, "--models", str(colour_bundle), "--precision", "float32") as server:
        yield server


@pytest.fixture(scope="session")
def small_server(colour_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with small limits."""
    limits = [text for name, value in SMALL.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    log = tmp_path_factory.mktemp("log") / "server.log"
    with running_server(log, "--models", str(colour_bundle), *limits) as server:
        yield server


@pytest.fixture(scope="session")
def quadrant_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose model knows up from down."""
    folder = tmp_path_factory.mktemp("quadrants")
    bundle = write_quadrant_bundle(folder / "bundle")
    with running_server(folder / "server.log", "--models", str(bundle)) as server:
        yield server


@pytest.fixture(scope="module")
def own_server(colour_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for one module: how much memory it took is looked at."""
    with running_server(tmp_path_factory.mktemp("log") / "server.log", "--models", str(colour_bundle)) as server:
        yield server


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """The file that keeps engines waiting as long as it exists; it does not, to begin with."""
    path = tmp_path / "gate"
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def _colours_client(colour_server: Server) -> Iterator[httpx.Client]:
    with _client(colour_server) as client:
        yield client


@pytest.fixture(scope="session")
def _tensors_client(tensor_server: Server) -> Iterator[httpx.Client]:
    with _client(tensor_server) as client:
        yield client


@pytest.fixture(scope="session")
def _small_client(small_server: Server) -> Iterator[httpx.Client]:
    with _client(small_server) as client:
        yield client


@pytest.fixture
def colours(_colours_client: httpx.Client) -> Iterator[httpx.Client]:
    """A client of the colour server, which must be unharmed afterwards."""
    with unharmed(_colours_client) as client:
        yield client


@pytest.fixture
def tensors(_tensors_client: httpx.Client) -> Iterator[httpx.Client]:
    """A client of the tensor server, which must be unharmed afterwards."""
    with unharmed(_tensors_client) as client:
        yield client


@pytest.fixture
def small(_small_client: httpx.Client) -> Iterator[httpx.Client]:
    """A client of the small server, which must be unharmed afterwards."""
    with unharmed(_small_client) as client:
        yield client


@pytest.fixture(scope="session")
def _colours_channel(colour_server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(colour_server.grpc_address) as channel:
        yield channel


@pytest.fixture(scope="session")
def _tensors_channel(tensor_server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(tensor_server.grpc_address) as channel:
        yield channel


@pytest.fixture(scope="session")
def _small_channel(small_server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(small_server.grpc_address) as channel:
        yield channel


@pytest.fixture
def calls(_colours_channel: grpc.Channel) -> Iterator[grpc_doors.Client]:
    """A gRPC client of the colour server, which must be unharmed afterwards."""
    with grpc_doors.unharmed(grpc_doors.Client(_colours_channel)) as client:
        yield client


@pytest.fixture
def tensor_calls(_tensors_channel: grpc.Channel) -> Iterator[grpc_doors.Client]:
    """A gRPC client of the tensor server, which must be unharmed afterwards."""
    with grpc_doors.unharmed(grpc_doors.Client(_tensors_channel)) as client:
        yield client


@pytest.fixture
def small_calls(_small_channel: grpc.Channel) -> Iterator[grpc_doors.Client]:
    """A gRPC client of the small server, which must be unharmed afterwards."""
    with grpc_doors.unharmed(grpc_doors.Client(_small_channel)) as client:
        yield client
