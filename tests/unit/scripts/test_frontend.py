"""The frontend in the scripts: its page is found and asked for, and its Deployment waited for and restarted."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from fakes import Programs

from scripts.__main__ import main
from scripts.commands import load_images
from scripts.commands.smoke import Page, find_routed
from scripts.errors import StepError
from scripts.kind import Cluster
from scripts.rollout import wait_for_deployment

IMAGE = "kserve-vision/frontend:dev"
OLD, NEW = f"sha256:{'ab' * 32}", f"sha256:{'cd' * 32}"
LABELS = {"app.kubernetes.io/name": "frontend", "app.kubernetes.io/instance": "vision"}
SELECTOR = "app.kubernetes.io/name=frontend,app.kubernetes.io/instance=vision"


class FakeApi:
    """A cluster with a frontend, one pod of which runs the image of a digest; and two Ingresses."""

    def __init__(self, digest: str = OLD, **status: int) -> None:
        self.cluster, self._digest, self._status = Cluster("vision"), digest, status

    def deployment(self) -> dict[str, Any]:
        template = {"spec": {"containers": [{"name": "frontend", "image": IMAGE}]}}
        return {
            "metadata": {"name": "vision-frontend", "namespace": "shop", "generation": 1},
            "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
            "status": {"observedGeneration": 1, **self._status},
        }

    def get(self, _: str, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        return self.deployment() if (kind, name, namespace) == ("Deployment", "vision-frontend", "shop") else None

    def list(
        self, _: str, kind: str, namespace: str | None = None, selector: str | None = None
    ) -> list[dict[str, Any]]:
        status = {"name": "frontend", "image": IMAGE, "imageID": f"docker.io/{IMAGE}@{self._digest}", "restartCount": 0}
        pod = {"metadata": {"name": "a"}, "status": {"containerStatuses": [status]}}
        page = {"host": "a.b", "http": {"paths": [{"path": "/"}]}}
        model = {"http": {"paths": [{"path": "/model/cats"}, {"path": "/v2/models/cats"}]}}
        return {
            "Deployment": [self.deployment()] if selector == load_images.FRONTEND else [],
            "Pod": [pod] if (namespace, selector) == ("shop", SELECTOR) else [],
            "Ingress": [{"spec": {"rules": [page]}}, {"spec": {"rules": [model]}}],
        }.get(kind, [])


def test_every_path_that_is_routed_is_found_with_its_host() -> None:
    found = set(find_routed(FakeApi(), "shop"))  # type: ignore[arg-type]
    assert found == {("/", "a.b"), ("/model/cats", None), ("/v2/models/cats", None)}


@pytest.fixture
def url() -> Iterator[str]:
    """A server that has a page at the host ``a.b``, and JSON at every other."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            html = self.headers["Host"] == "a.b"
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8" if html else "application/json")
            self.end_headers()
            self.wfile.write(b"<html></html>" if html else b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_page_is_told_from_another_answer(url: str) -> None:
    assert Page(url, "a.b").missing() is None
    assert "the page answers 200: {}" in (Page(url, None).missing() or "")
    assert "does not answer" in (Page("http://127.0.0.1:1", None).missing() or "")


def test_its_address_is_what_a_browser_takes(url: str) -> None:
    assert Page("http://127.0.0.1:8088", None).address == "http://127.0.0.1:8088/"
    assert Page("http://127.0.0.1:8088", "a.b").address == "http://a.b:8088/"


def test_it_is_waited_for() -> None:
    wait_for_deployment(FakeApi(replicas=1, updatedReplicas=1, availableReplicas=1), "shop", "vision-frontend")  # type: ignore[arg-type]
    with pytest.raises(StepError, match="0 of 1 pods are ready"):
        wait_for_deployment(FakeApi(replicas=1, updatedReplicas=1), "shop", "vision-frontend", 0)  # type: ignore[arg-type]
    with pytest.raises(StepError, match="no Deployment other"):
        wait_for_deployment(FakeApi(), "shop", "other", 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("loaded", "restarts"), [(NEW, 1), (OLD, 0)])
def test_it_starts_anew_where_its_image_is_another(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, loaded: str, restarts: int
) -> None:
    programs.answer("kind get clusters", "vision\n")
    programs.answer("docker images", f"{IMAGE}\n")
    programs.answer("docker exec", f"REF TYPE DIGEST\ndocker.io/{IMAGE} application/vnd {loaded} 1 MiB\n")
    monkeypatch.setattr("scripts.commands.load_images.Api", lambda _: FakeApi())
    assert main("load-images", []) == 0
    calls = [call for call in programs.called("kubectl") if call[-3:-1] == ["rollout", "restart"]]
    assert [call[-1] for call in calls] == ["deployment/vision-frontend"] * restarts
