from typing import Any

import pytest

from scripts.rollout import describe_rollout, describe_trouble, describe_unscheduled, follows


def deployment(generation: int = 1, **status: int) -> dict[str, Any]:
    """Return a Deployment of two pods."""
    return {
        "metadata": {"name": "digits-predictor", "generation": generation},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 1, **status},
    }


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (deployment(generation=2), "newest form"),
        (deployment(replicas=2, updatedReplicas=1), "1 of 2 new pods"),
        (deployment(replicas=3, updatedReplicas=2, availableReplicas=3), "1 old pods"),
        (deployment(replicas=2, updatedReplicas=2), "0 of 2 pods are ready"),
    ],
)
def test_what_a_deployment_waits_for(found: dict[str, Any], words: str) -> None:
    assert words in (describe_rollout(found) or "")


def test_one_that_is_done() -> None:
    assert describe_rollout(deployment(replicas=2, updatedReplicas=2, availableReplicas=2)) is None


def waiting(reason: str, restarts: int = 0, key: str = "containerStatuses") -> dict[str, Any]:
    state = {"waiting": {"reason": reason}}
    return {"status": {key: [{"name": "server", "image": "a:b", "state": state, "restartCount": restarts}]}}


def test_an_image_that_is_not_there_is_told_at_once() -> None:
    for pod in (waiting("ErrImagePull"), waiting("ImagePullBackOff", key="initContainerStatuses")):
        trouble = describe_trouble(pod)
        assert trouble
        assert trouble.no_image
        assert "a:b can't be had" in trouble.text


def test_one_restart_is_no_trouble_yet() -> None:
    assert describe_trouble(waiting("CrashLoopBackOff", restarts=1)) is None
    trouble = describe_trouble(waiting("CrashLoopBackOff", restarts=2))
    assert trouble
    assert (trouble.container, trouble.no_image) == ("server", False)
    assert describe_trouble(waiting("ContainerCreating")) is None
    assert describe_trouble({"status": {}}) is None


def test_a_pod_that_no_node_takes_says_why() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "1 Insufficient cpu"}
    pod = {"metadata": {"name": "digits-1"}, "status": {"conditions": [condition]}}
    assert describe_unscheduled(pod) == "; no node takes digits-1: 1 Insufficient cpu"
    assert describe_unscheduled(waiting("ContainerCreating")) == ""


def asked(**container: Any) -> dict[str, Any]:
    """Return an InferenceService of one container."""
    spec = {"predictor": {"containers": [{"name": "kserve-container", "image": "a:1", **container}]}}
    return {
        "metadata": {
            "annotations": {"kserve-vision/image-id": "1", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
        },
        "spec": spec,
    }


def running(annotations: dict[str, str] | None = None, **container: Any) -> dict[str, Any]:
    """Return the Deployment that KServe made of it."""
    found = {"name": "kserve-container", "image": "a:1", **container}
    told = {"annotations": {"kserve-vision/image-id": "1"} if annotations is None else annotations}
    return {"spec": {"template": {"metadata": told, "spec": {"containers": [found]}}}}


def test_a_deployment_follows_what_was_asked_for() -> None:
    assert follows(running(), asked())
    amounts = {"limits": {"cpu": "1000m", "memory": "1Gi"}}
    assert follows(running(resources=amounts), asked(resources={"limits": {"cpu": 1}}))


@pytest.mark.parametrize(
    "other",
    [
        running(image="a:2", args=["--precision=auto"]),
        running(args=["--precision=int8"]),
        running(env=[]),
        running(resources={"limits": {"cpu": "2"}}),
        running(annotations={}),
    ],
)
def test_one_that_kserve_has_not_come_to_yet_does_not(other: dict[str, Any]) -> None:
    variable = {"name": "STORAGE_URI", "value": "s3://b"}
    service = asked(args=["--precision=auto"], env=[variable], resources={"limits": {"cpu": "1"}})
    added = {"name": "INFERENCE_SERVICE_NAME", "value": "digits"}
    same = running(args=["--precision=auto"], env=[variable, added], resources={"limits": {"cpu": "1"}})
    assert follows(same, service)
    assert not follows(other, service)
