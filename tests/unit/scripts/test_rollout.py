from typing import Any

import pytest

from scripts.rollout import describe_rollout, describe_trouble, describe_unscheduled


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
    assert "a:b can't be had" in (describe_trouble(waiting("ErrImagePull")) or "")
    assert "a:b can't be had" in (describe_trouble(waiting("ImagePullBackOff", key="initContainerStatuses")) or "")


def test_one_restart_is_no_trouble_yet() -> None:
    assert describe_trouble(waiting("CrashLoopBackOff", restarts=1)) is None
    assert "again and again" in (describe_trouble(waiting("CrashLoopBackOff", restarts=2)) or "")
    assert describe_trouble(waiting("ContainerCreating")) is None
    assert describe_trouble({"status": {}}) is None


def test_a_pod_that_no_node_takes_says_why() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "1 Insufficient cpu"}
    pod = {"metadata": {"name": "digits-1"}, "status": {"conditions": [condition]}}
    assert describe_unscheduled(pod) == "; no node takes digits-1: 1 Insufficient cpu"
    assert describe_unscheduled(waiting("ContainerCreating")) == ""
