"""The web page through the Ingress: what it shows, what restarts it and what it restarts, models behind it alone."""

import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import tritonclient.grpc
import yaml
from browsers import open_browser
from callers import SAMPLES, assert_labels_right, client, grpc_client, raw, wait_for_route
from playwright.sync_api import expect
from space import Space
from test_scripts import script

from scripts.api import Api, wait_for
from scripts.kind import Cluster
from scripts.rollout import find_pods

MODELS = ("ours", "ours-float32")
"""Called like none of the environment kind, whose routes are of every host: Traefik would prefer their longer paths."""
NAME = "vision-frontend"
PODS = "app.kubernetes.io/name=frontend"
SMALL = {"requests": {"cpu": "50m", "memory": "384Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}
VALUES: dict[str, Any] = {
    "defaults": {
        "image": {"repository": "kserve-vision/digits", "tag": "dev"},
        "bundle": {"baked": True},
        "resources": SMALL,
    },
    "models": {"ours": {}, "ours-float32": {"variant": {"precision": "float32"}}},
}
PAGE = {"image": {"tag": "dev"}, "resources": {"requests": {"cpu": "20m"}}}
KNOWN_SECONDS = 180
"""The kubelet brings a changed ConfigMap into a pod within a minute or two."""
ROUTE_SECONDS, GONE_SECONDS = 60, 120
KEPT = "see what is kept under build/e2e"


@pytest.fixture(scope="module")
def shown(cluster: Cluster, api: Api) -> Iterator[Space]:
    """A namespace for a release with a page; each test deploys it as it needs it."""
    space = Space(cluster, api, f"e2e-frontend-{uuid.uuid4().hex[:6]}")
    space.create()
    yield space
    space.delete()


def deploy(
    space: Space,
    folder: Path,
    *,
    models: dict[str, Any] | None = None,
    frontend: dict[str, Any] | None = None,
    routes: dict[str, Any] | None = None,
) -> None:
    """Deploy two models and the page, with something else said of them, and wait for all of it."""
    document = {
        **VALUES,
        "models": {**VALUES["models"], **(models or {})},
        "frontend": {**PAGE, **(frontend or {})},
        "routes": {"host": space.host, "grpc": {"host": f"MODEL.grpc.{space.host}"}, **(routes or {})},
    }
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump(document))
    script(space.cluster, "deploy", str(path), "--namespace", space.name)
    wait_for(lambda: missing(space), ROUTE_SECONDS, KEPT)


def missing(space: Space) -> str | None:
    """Return why the page is not there yet."""
    with client(space) as http:
        answer = http.get("/catalogue")
    return None if answer.status_code == 200 else f"{answer.status_code}: {answer.text[:200]}"


def states(space: Space) -> dict[str, str]:
    """Return what the page would show of each model."""
    with client(space) as http:
        models = http.get("/catalogue").raise_for_status().json()["models"]
    return {model["id"]: model["state"] for model in models}


def wait_for_states(space: Space, expected: dict[str, str]) -> None:
    def differ() -> str | None:
        found = states(space)
        return None if found == expected else f"the catalogue says {found}, not {expected}"

    wait_for(differ, KNOWN_SECONDS, KEPT)


def uids(space: Space, selector: str) -> set[str]:
    """Return the pods that are to stay."""
    found = space.api.list("v1", "Pod", space.name, selector)
    return {pod["metadata"]["uid"] for pod in found if "deletionTimestamp" not in pod["metadata"]}


def all_uids(space: Space) -> set[str]:
    """Return the frontend's pods, those that end too."""
    return {pod["metadata"]["uid"] for pod in space.api.list("v1", "Pod", space.name, PODS)}


def models_pods(space: Space) -> set[str]:
    return {pod["metadata"]["uid"] for model in MODELS for pod in find_pods(space.api, space.name, model)}


@contextmanager
def watching(space: Space) -> Iterator[list[str]]:
    """Get the page all the while, on a new connection each time; yield what came instead of it."""
    others: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            try:
                with client(space) as http:
                    status = http.get("/").status_code
                if status != 200:
                    others.append(str(status))
            except httpx.HTTPError as error:
                others.append(repr(error))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield others
    finally:
        over.set()
        thread.join()


def test_the_root_is_the_page_and_it_knows_the_models(shown: Space, tmp_path: Path) -> None:
    deploy(shown, tmp_path)
    with client(shown) as http:
        answer = http.get("/")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    wait_for_states(shown, dict.fromkeys(MODELS, "ready"))
    with client(shown) as http:
        assert http.get("/v2/models").json() == {"models": list(MODELS)}
        assert http.get("/v2/health/ready").status_code == 200
        assert http.get("/v2/repository/index").status_code == 404


def test_a_picture_is_labelled_as_the_page_does_it(shown: Space, tmp_path: Path) -> None:
    deploy(shown, tmp_path)
    for model in MODELS:
        wait_for_route(shown, model)
        assert_labels_right(shown, model, raw)
        with client(shown) as http:
            for sample in http.get(f"/model/{model}").raise_for_status().json()["samples"]:
                answer = http.get(sample["path"]).raise_for_status()
                assert answer.headers["Content-Type"] == "image/png"
                labelled = http.post(f"/model/{model}/predict", content=answer.content).raise_for_status()
                assert labelled.json()["predictions"][0]["label"] == sample["label"]


def test_an_upgrade_of_the_page_restarts_no_model_and_it_is_never_away(shown: Space, tmp_path: Path) -> None:
    deploy(shown, tmp_path)
    models, before = models_pods(shown), uids(shown, PODS)
    with watching(shown) as others:
        deploy(shown, tmp_path, frontend={"replicas": 2, "annotations": {"example.com/changed": uuid.uuid4().hex}})
        assert len(uids(shown, PODS)) == 2
        assert not uids(shown, PODS) & before
        wait_for(lambda: "old pods are there" if all_uids(shown) & before else None, GONE_SECONDS, KEPT)
    assert others == []
    assert models_pods(shown) == models


@pytest.mark.timeout(600)
def test_a_new_model_restarts_no_page_and_is_there_in_time(shown: Space, tmp_path: Path) -> None:
    deploy(shown, tmp_path)
    before = uids(shown, PODS)
    deploy(shown, tmp_path, models={"third": {}})
    wait_for_states(shown, dict.fromkeys((*MODELS, "third"), "ready"))
    wait_for_route(shown, "third")
    assert raw(shown, "third", SAMPLES[7]) == "7"
    deploy(shown, tmp_path)
    wait_for_states(shown, dict.fromkeys(MODELS, "ready"))
    assert uids(shown, PODS) == before


def test_models_without_routes_are_reached_by_way_of_the_frontend_alone(shown: Space, tmp_path: Path) -> None:
    deploy(shown, tmp_path)
    models = models_pods(shown)
    deploy(shown, tmp_path, routes={"public": False})
    for model in MODELS:
        wait_for(lambda model=model: routed(shown, f"/v2/models/{model}/ready"), ROUTE_SECONDS, KEPT)
        with client(shown) as http:
            for path in (f"/v2/models/{model}", f"/v2/models/{model}/infer", f"/v1/models/{model}"):
                assert http.get(path).status_code == 404
            assert http.post(f"/v1/models/{model}:predict", json={"instances": []}).status_code == 404
            assert http.post(f"/v2/models/{model}/infer", json={"inputs": []}).status_code == 404
            (sample, *_) = http.get(f"/model/{model}").raise_for_status().json()["samples"]
            assert http.get(sample["path"]).headers["Content-Type"] == "image/png"
        wait_for(lambda model=model: routed_over_grpc(shown, model), ROUTE_SECONDS, KEPT)
        assert_labels_right(shown, model, raw)
    assert models_pods(shown) == models


def routed(space: Space, path: str) -> str | None:
    """Return that a path is still routed to a model; the Ingress controller may not have heard of the change."""
    with client(space) as http:
        status = http.get(path).status_code
    return None if status == 404 else f"{path} answers {status}"


def routed_over_grpc(space: Space, model: str) -> str | None:
    try:
        grpc_client(space, model).is_model_ready(model, client_timeout=10)
    except tritonclient.grpc.InferenceServerException as error:
        return None if re.search("UNIMPLEMENTED|404", str(error)) else str(error)
    return f"{model} answers over gRPC"


def test_the_page_stays_when_the_models_are_away(shown: Space, tmp_path: Path) -> None:
    deploy(shown, tmp_path, routes={"public": False})
    before = uids(shown, PODS)
    with watching(shown) as others:
        deploy(shown, tmp_path, models={model: {"replicas": 0} for model in MODELS}, routes={"public": False})
        wait_for_states(shown, dict.fromkeys(MODELS, "down"))
        with client(shown) as http:
            answer = http.post("/model/ours/predict", content=SAMPLES[7].read_bytes())
            assert answer.status_code == 503
            assert "Retry-After" in answer.headers
            assert http.get("/v2/health/ready").status_code == 503
    assert others == []
    assert uids(shown, PODS) == before


def test_without_a_page_nothing_of_it_is_left(shown: Space, tmp_path: Path) -> None:
    deploy(shown, tmp_path)
    models = models_pods(shown)
    document = {**VALUES, "frontend": {"enabled": False}, "routes": {"host": shown.host}}
    path = tmp_path / "without.yaml"
    path.write_text(yaml.safe_dump(document))
    script(shown.cluster, "deploy", str(path), "--namespace", shown.name)
    for kind in (("apps/v1", "Deployment"), ("v1", "Service"), ("networking.k8s.io/v1", "Ingress")):
        assert shown.get(*kind, NAME) is None
    assert models_pods(shown) == models
    for model in MODELS:
        wait_for_route(shown, model)


def test_somebody_clicks_on_a_sample_and_is_told_what_it_is(shown: Space, tmp_path: Path) -> None:
    deploy(shown, tmp_path)
    for model in MODELS:
        wait_for_route(shown, model)
    complaints: list[str] = []
    with open_browser() as browser:
        page = browser.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"http://{shown.host}:{shown.cluster.port()}/")
        for model in MODELS:
            page.get_by_label("Model", exact=True).select_option(model)
            page.get_by_role("button", name="Sample 8: 7").click()
            answer = page.get_by_role("region", name=model, exact=True)
            expect(answer.get_by_role("listitem").first).to_contain_text(re.compile(r"^\s*7\b.*%"))
    assert complaints == []
