"""A namespace for each test, on the cluster of scripts/cluster; what went on in it is kept when a test fails."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundle_store import BundleStore
from space import Space

from scripts.api import Api
from scripts.arguments import NAME
from scripts.errors import StepError
from scripts.kind import Cluster
from scripts.versions import ROOT

KEPT = ROOT / "build" / "e2e"
FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cluster", default=NAME, help="the kind cluster's name (default: %(default)s)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    cluster = Cluster(request.config.getoption("--cluster"))
    try:
        Api(cluster)
    except StepError as error:
        pytest.exit(f"{error}; next: scripts/cluster, which makes all that these tests need ({error.next_step})", 2)
    return cluster


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Api:
    return Api(cluster)


@pytest.fixture
def space(cluster: Cluster, api: Api, request: pytest.FixtureRequest) -> Iterator[Space]:
    """A namespace that enforces `restricted`, gone when the test is over."""
    named = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_")).strip("-")[:30].strip("-")
    space = Space(cluster, api, f"e2e-{named}-{uuid.uuid4().hex[:6]}")
    space.create()
    yield space
    try:
        if request.node.stash.get(FAILED, False):
            space.save(KEPT / request.node.name.replace("/", "-"))
    finally:
        space.delete()


@pytest.fixture
def store(space: Space, tmp_path: Path) -> BundleStore:
    """A web server in the namespace that bundles can be put on."""
    store = BundleStore(space)
    store.start()
    return store
