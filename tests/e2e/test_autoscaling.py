"""A busy model gets more pods, and gives them back: the chart's HorizontalPodAutoscaler, over metrics-server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from callers import SAMPLES, client, wait_for_route
from space import Space

from scripts.api import Object, wait_for

CALLERS = 4
BUSY_SECONDS, QUIET_SECONDS = 240, 300
VALUES: Object = {
    "models": {
        "digits": {
            "image": {"repository": "kserve-vision/digits", "tag": "dev"},
            "bundle": {"baked": True},
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}},
            "autoscaling": {
                "class": "hpa",
                "max": 3,
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": 15}},
            },
        }
    }
}


@contextmanager
def busy(space: Space) -> Iterator[list[str]]:
    """Keep a model busy meanwhile, from 127.0.0.1; the value is what was answered wrong."""
    stop, wrong = threading.Event(), []

    def call() -> None:
        picture = SAMPLES[7].read_bytes()
        with client(space) as http:
            while not stop.is_set():
                try:
                    answer = http.post("/model/digits/predict", content=picture).text
                except httpx.HTTPError as error:
                    answer = repr(error)
                if '"predictions":[{"label":"7"' not in answer:
                    wrong.append(answer)

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        yield wrong
    finally:
        stop.set()
        for caller in callers:
            caller.join()


@pytest.mark.timeout(BUSY_SECONDS + QUIET_SECONDS + 300)
def test_from_one_to_more_and_back(space: Space) -> None:
    values = {**VALUES, "routes": {"host": space.host}}
    space.apply_chart(values)
    space.wait_until_ready("digits")
    wait_for_route(space, "digits")
    assert replicas(space) == 1
    with busy(space) as wrong:
        wait_for(lambda: None if replicas(space) > 1 else "there is one pod", BUSY_SECONDS, "is metrics-server there?")
    wait_for(lambda: None if replicas(space) == 1 else "there are more pods", QUIET_SECONDS, "see its behaviour")
    assert wrong == []
    assert any("New size: 2" in each or "New size: 3" in each for each in space.events("SuccessfulRescale"))


def replicas(space: Space) -> int:
    """Return how many pods the Deployment asks for."""
    found = space.get("apps/v1", "Deployment", "digits-predictor")
    assert found
    return int(found["spec"]["replicas"])
