"""What happens to pods, nodes and the platform under traffic, and what it costs whoever asks."""

import io
import json
from pathlib import Path

import pytest
from bundle_store import BundleStore
from busy_model import MODEL, BusyModel, start_busy_model
from callers import client
from PIL import Image
from space import Space

from scripts.api import Object, wait_for

SETTLE_SECONDS = 10
PLATFORM_SECONDS = 30
"""An Ingress controller that was replaced goes on for 15 of them."""
READY_SECONDS = 180
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def model(space: Space, store: BundleStore, tmp_path: Path) -> BusyModel:
    return start_busy_model(space, store, tmp_path)


def assert_nothing_lost(traffic) -> None:
    assert (traffic.summary.failed, traffic.summary.wrong, traffic.summary.refused) == (0, 0, 0), traffic.summary
    assert traffic.summary.total > 500


def test_a_deleted_pod_takes_nothing_with_it(model: BusyModel) -> None:
    with model.traffic("pod-deleted") as traffic:
        for _ in range(2):
            (name, *_) = sorted(pod["metadata"]["name"] for pod in model.space.pods(MODEL))
            traffic.mark(f"delete pod {name}")
            model.space.kubectl("delete", "pod", name)
            model.wait(pods=2)
        traffic.go_on(SETTLE_SECONDS)
    assert_nothing_lost(traffic)


def test_scaling_in_takes_nothing_away(model: BusyModel) -> None:
    with model.traffic("scale-in") as traffic:
        for pods in (4, 1, 3, 1):
            traffic.mark(f"{pods} pods")
            model.deploy("plain", replicas=pods)
            model.wait(pods=pods)
            traffic.go_on(SETTLE_SECONDS)
    assert_nothing_lost(traffic)


def test_a_drained_node_moves_its_pods_one_by_one(model: BusyModel) -> None:
    cluster = model.space.cluster
    nodes = {pod["spec"]["nodeName"] for pod in model.space.pods(MODEL)}
    if len([node for node in model.space.api.list("v1", "Node") if takes_pods(node)]) < 2:
        pytest.skip("fewer than two nodes take pods: scripts/cluster --nodes 3")
    node = sorted(nodes)[-1]
    step = {"next_step": "see kubectl describe node"}
    with model.traffic("node-drained") as traffic:
        try:
            traffic.mark(f"drain node {node}")
            label = f"app=isvc.{MODEL}-predictor"
            cluster.kubectl(
                "drain",
                node,
                "--ignore-daemonsets",
                "--pod-selector",
                label,
                "--delete-emptydir-data",
                "--timeout=300s",
                **step,
            )
            model.wait(pods=2)
            assert node not in {pod["spec"]["nodeName"] for pod in model.space.pods(MODEL)}
            traffic.go_on(SETTLE_SECONDS)
        finally:
            cluster.kubectl("uncordon", node, **step)
    assert_nothing_lost(traffic)


def takes_pods(node: Object) -> bool:
    """Tell whether a node has no taint that keeps pods off it."""
    return not any(taint["effect"] == "NoSchedule" for taint in node["spec"].get("taints") or [])


@pytest.mark.parametrize(
    ("namespace", "deployment"),
    [("kserve", "kserve-controller-manager"), ("traefik", "traefik")],
    ids=["kserve", "ingress"],
)
def test_the_platform_restarts_and_nobody_notices(model: BusyModel, namespace: str, deployment: str) -> None:
    target, step = ("--namespace", namespace, f"deployment/{deployment}"), {"next_step": "see its pods"}
    with model.traffic(f"{deployment}-restarted") as traffic:
        for number in (1, 2):
            traffic.mark(f"restart {deployment}, {number}")
            model.space.cluster.kubectl("rollout", "restart", *target, **step)
            model.space.cluster.kubectl("rollout", "status", *target, "--timeout=180s", **step)
            traffic.go_on(PLATFORM_SECONDS)
    assert_nothing_lost(traffic)


def test_a_pod_killed_for_its_memory_costs_what_it_had_in_hand_and_comes_back(model: BusyModel) -> None:
    """A killed process answers nobody: what it had, and what reaches it until its Service forgets it, fails."""
    tight = {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}}
    model.deploy("plain", resources=tight)
    model.wait(pods=2)
    with model.traffic("out-of-memory") as traffic:
        traffic.go_on(SETTLE_SECONDS)
        traffic.mark("a picture of 49 megapixels, for which there is no memory")
        with client(model.space) as http:
            answer = http.post(f"/model/{MODEL}/predict", content=enormous_picture())
        assert answer.status_code >= 500
        wait_for(lambda: None if killed(model) else "no pod was killed", READY_SECONDS, "see kubectl describe")
        model.wait(pods=2)
        traffic.go_on(SETTLE_SECONDS)
        traffic.mark("it was ready for a while")
        traffic.go_on(SETTLE_SECONDS)
    summary = traffic.summary
    assert summary.wrong == 0, summary
    assert summary.failed < 0.1 * summary.total, summary
    assert not any("'it was ready for a while'" in example for example in summary.examples), summary


def enormous_picture() -> bytes:
    """Return a PNG of few bytes that is as large as the server reads."""
    file = io.BytesIO()
    Image.new("RGB", (7000, 7000)).save(file, "PNG")
    return file.getvalue()


def killed(model: BusyModel) -> bool:
    """Tell whether the kernel has ended a pod's server for its memory."""
    each = model.space.statuses(MODEL)
    ends = [one.get(key, {}).get("terminated") or {} for one in each for key in ("state", "lastState")]
    return any(end.get("reason") == "OOMKilled" for end in ends)


def test_a_starved_model_loses_nothing_that_it_accepted(model: BusyModel) -> None:
    """With a twentieth of a core it is slow, refuses, and is at last not ready: then the Ingress controller refuses."""
    model.deploy("plain", replicas=1)
    model.wait(pods=1)
    (pod,) = model.space.pods(MODEL)
    with model.traffic("starved", rate=100) as traffic:
        traffic.go_on(SETTLE_SECONDS)
        traffic.mark("a twentieth of a core")
        resize(model, pod["metadata"]["name"], "50m")
        traffic.go_on(2 * SETTLE_SECONDS)
        traffic.mark("a core again")
        resize(model, pod["metadata"]["name"], "1")
        model.wait(pods=1)
        traffic.go_on(SETTLE_SECONDS)
    summary = traffic.summary
    assert (summary.failed, summary.wrong) == (0, 0), summary
    assert summary.refused + summary.unrouted > 0, summary
    assert model.space.pods(MODEL)[0]["status"]["containerStatuses"][0]["restartCount"] == 0


def resize(model: BusyModel, pod: str, cpu: str) -> None:
    """Change the CPU that a running pod may use."""
    container = {"name": "kserve-container", "resources": {"limits": {"cpu": cpu}}}
    patch = json.dumps({"spec": {"containers": [container]}})
    model.space.kubectl("patch", "pod", pod, "--subresource", "resize", "--patch", patch)
