import json
from pathlib import Path

import pytest
from fakes import Programs

from scripts.charts import Chart, check_helm, find_images
from scripts.errors import StepError
from scripts.kind import Cluster

RENDERED = """
kind: Deployment
spec: {template: {spec: {containers: [{name: a, image: "one:1"}], initContainers: [{name: b, image: "two:2"}]}}}
---
kind: ClusterStorageContainer
spec: {container: {name: c, image: "three:3"}}
---
kind: ConfigMap
data: {image: "not one"}
---
"""


def chart(source: str, *values: Path) -> Chart:
    return Chart("traefik", source, "1.2.3", "traefik", values)


def test_a_source_may_be_an_address_a_repository_or_a_folder(tmp_path: Path) -> None:
    assert chart("oci://a/b").arguments()[:4] == ["traefik", "oci://a/b", "--version", "1.2.3"]
    assert chart("https://a/charts b").arguments()[:6] == [
        *("traefik", "--repo", "https://a/charts", "b", "--version", "1.2.3")
    ]
    folder = tmp_path / "My Charts" / "traefik"
    folder.mkdir(parents=True)
    assert chart(str(folder)).arguments()[:3] == ["traefik", str(folder), "--namespace"]


def test_values_come_in_order() -> None:
    arguments = chart("oci://a/b", Path("own.yaml"), Path("theirs.yaml")).arguments()
    assert arguments[-4:] == ["--values", "own.yaml", "--values", "theirs.yaml"]


def test_images_are_those_of_containers_anywhere(programs: Programs) -> None:
    programs.answer("helm template", RENDERED)
    assert chart("oci://a/b").images() == ["one:1", "three:3", "two:2"]
    assert list(find_images([{"image": "no name"}])) == []


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade"])
def test_what_an_interrupted_helm_wrote_down_is_forgotten_and_nothing_else(programs: Programs, status: str) -> None:
    programs.answer("helm list", json.dumps([{"name": "traefik", "revision": "7", "status": status}]))
    chart("oci://a/b").install(Cluster("mine"))
    assert [call[1] for call in programs.called("helm")] == ["list", "upgrade"]
    (deleted,) = programs.called("kubectl")
    assert deleted[-4:] == ["delete", "secret", "sh.helm.release.v1.traefik.v7", "--ignore-not-found"]


def test_what_a_release_has_of_a_kind_is_found_by_name(programs: Programs) -> None:
    objects = (("A", "two"), ("B", "three"), ("A", "one"))
    documents = [f"kind: {kind}\nmetadata: {{name: {name}}}\n" for kind, name in objects]
    programs.answer("helm get manifest", "---\n".join(documents))
    assert chart("oci://a/b").find("A", Cluster("mine")) == ["one", "two"]


@pytest.mark.parametrize("version", ["v3.19.0", "unknown"])
def test_a_helm_that_is_too_old_is_told(programs: Programs, version: str) -> None:
    programs.answer("helm version", version)
    with pytest.raises(StepError, match="4 is needed"):
        check_helm()


def test_it_is_installed_into_the_cluster_that_is_meant(programs: Programs) -> None:
    chart("oci://a/b").install(Cluster("mine"))
    (call,) = programs.called("helm", "upgrade", "--install")
    assert call[call.index("--kube-context") + 1] == "kind-mine"
    assert call[call.index("--kubeconfig") + 1].endswith("build/kind/mine.kubeconfig")
