"""Rolling updates under traffic: no accepted request is lost, and each answer is right for the revision it names."""

from itertools import cycle
from pathlib import Path

import pytest
from bundle_store import BundleStore
from busy_model import MODEL, BusyModel, start_busy_model
from callers import client
from space import Space

from scripts.api import wait_for

UPDATES = 10
REQUESTS, OVER_GRPC = 20_000, 2_000
SECONDS = 1500
SETTLE_SECONDS = 10
"""What comes late comes in this time: the longest drain, and a proxy that hears of it last."""


@pytest.fixture
def model(space: Space, store: BundleStore, tmp_path: Path) -> BusyModel:
    return start_busy_model(space, store, tmp_path)


@pytest.mark.timeout(SECONDS)
def test_ten_updates_lose_nothing(model: BusyModel) -> None:
    bundles = cycle(["turned", "plain"])
    with model.traffic("ten-updates", rate=70) as traffic:
        for number in range(1, UPDATES + 1):
            bundle = next(bundles)
            traffic.mark(f"update {number}, to {bundle}")
            model.deploy(bundle)
            model.wait(pods=2)
            traffic.mark(f"update {number} is done")
        traffic.go_on_until(REQUESTS)
    summary = traffic.summary
    assert (summary.failed, summary.wrong, summary.refused) == (0, 0, 0), summary
    assert summary.total >= REQUESTS
    assert sum(count for way, count in summary.sent.items() if "gRPC" in way) >= OVER_GRPC
    assert summary.total / summary.seconds >= 50
    assert min(summary.revisions.values()) > 0.2 * summary.total


@pytest.mark.timeout(SECONDS)
def test_the_driver_sees_what_is_lost_without_the_drain_delay(model: BusyModel) -> None:
    hasty = {"server": {"accessLog": False, "drainDelaySeconds": 0}}
    model.deploy("plain", **hasty)
    model.wait(pods=2)
    bundles = cycle(["turned", "plain"])
    with model.traffic("without-drain-delay", rate=70) as traffic:
        for number in range(1, 5):
            traffic.mark(f"update {number}, without a drain delay")
            model.deploy(next(bundles), **hasty)
            model.wait(pods=2)
    assert traffic.summary.failed > 0, traffic.summary
    assert traffic.summary.wrong == 0, traffic.summary


@pytest.mark.timeout(SECONDS)
def test_a_revision_that_never_becomes_ready_leaves_the_old_one_answering(
    model: BusyModel, store: BundleStore, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model.yaml").write_text("not: a bundle\n")
    model.bundles["broken"] = store.put(broken, "broken")
    with model.traffic("never-ready") as traffic:
        traffic.mark("an update to a bundle that is refused")
        model.deploy("broken")
        wait_for(lambda: crashed(model), 180, "see what is kept under build/e2e")
        traffic.go_on(SETTLE_SECONDS)
        traffic.mark("an update to a good one")
        model.deploy("turned")
        model.wait(pods=2)
        traffic.go_on(SETTLE_SECONDS)
    assert (traffic.summary.failed, traffic.summary.wrong, traffic.summary.refused) == (0, 0, 0), traffic.summary
    assert len(traffic.summary.revisions) == 2
    with client(model.space) as http:
        assert http.get(f"/model/{MODEL}").json()["revision"] in model.expected


def crashed(model: BusyModel) -> str | None:
    """Tell what is missing until a pod has refused its bundle twice."""
    each = model.space.statuses(MODEL)
    return None if any(one["restartCount"] >= 2 for one in each) else "no pod has restarted twice"
