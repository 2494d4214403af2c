"""Two models whose names begin alike: no path of one reaches the other, and nothing but the doors is reached."""

import json

import pytest
from callers import REST, assert_labels_right, client, wait_for_route
from space import Space, container, read_manifest, renamed

from scripts.api import wait_for

MODELS = ("digits", "digits-2")
PATHS = (
    "/model/{}",
    "/model/{}/samples/7",
    "/model/{}/predict",
    "/v1/models/{}",
    "/v1/models/{}:predict",
    "/v2/models/{}",
    "/v2/models/{}/ready",
    "/v2/models/{}/infer",
)
UNLOGGED = ("/v2/models/{}/ready",)
UNREACHABLE = (
    "/metrics",
    "/v2/repository/index",
    "/v2/repository/models/digits/load",
    "/v2/repository/models/digits/unload",
    "/v2",
    "/v2/models",
    "/v2/health/ready",
    "/",
    "/model",
    "/model/digit",
    "/v1/models/digits:explain",
    "/v1/models/digits/x",
    "/v1/models/digits:predict/x",
)
"""No model's; where a release takes every host, as that of the environment kind does, its frontend answers them."""
NOBODY = "nobody.localhost"
LAST = "/model/{}/the-last-request"
LOG_SECONDS = 30


@pytest.fixture
def two(space: Space) -> Space:
    """A namespace with both, an Ingress each, on one host."""
    for model in MODELS:
        documents = renamed(read_manifest("digits.yaml", space), "digits", model)
        container(documents)["image"] = "kserve-vision/digits:dev"
        space.apply(*documents)
    for model in MODELS:
        space.wait_until_ready(model)
        wait_for_route(space, model)
    return space


def test_each_gets_its_own_requests_and_no_other(two: Space) -> None:
    """One test, for what one model must not see is what was sent to the other."""
    for model in MODELS:
        for door in REST.values():
            assert_labels_right(two, model, door)
    with client(two) as http:
        for model in MODELS:
            for path in PATHS:
                assert http.get(path.format(model)).status_code in (200, 405), path
        for method in ("GET", "POST"):
            for path in UNREACHABLE:
                answers = [http.request(method, path, headers={"Host": host}) for host in (two.host, NOBODY)]
                assert answers[0].status_code == answers[1].status_code, path
        for model in MODELS:
            assert http.get(LAST.format(model)).status_code == 404
    for model in MODELS:
        wait_for(lambda model=model: _last_is_missing(two, model), LOG_SECONDS, "read its log")
        paths = requested_paths(two, model)
        assert {model_of(path) for path in paths} == {model}
        assert {path.format(model) for path in PATHS if path not in UNLOGGED} <= set(paths)


def _last_is_missing(space: Space, model: str) -> str | None:
    return None if LAST.format(model) in requested_paths(space, model) else f"{model} has not logged the last request"


def requested_paths(space: Space, model: str) -> list[str]:
    """Return the paths of every request that a model's server has logged."""
    (pod,) = space.pods(model)
    lines = [line for line in space.log(pod).splitlines() if line.startswith("{")]
    return [line["path"] for line in map(json.loads, lines) if "path" in line]


def model_of(path: str) -> str:
    """Return which model a path names."""
    elements = path.strip("/").split("/")
    return elements[1 if elements[0] == "model" else 2].partition(":")[0]
