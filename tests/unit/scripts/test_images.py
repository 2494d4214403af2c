from pathlib import Path

import pytest
from fakes import Programs

from scripts.images import plain_name, present, project_images, within_context
from scripts.kind import Cluster, describe_nodes


@pytest.mark.parametrize(
    ("image", "plain"),
    [
        ("docker.io/traefik:v3", "traefik:v3"),
        ("docker.io/library/python:3", "python:3"),
        ("kserve/agent", "kserve/agent:latest"),
        ("host:5000/a/b", "host:5000/a/b:latest"),
        ("quay.io/a/b:1", "quay.io/a/b:1"),
    ],
)
def test_names_as_docker_shows_them(image: str, plain: str) -> None:
    assert plain_name(image) == plain


def test_only_what_docker_has_is_present(programs: Programs) -> None:
    programs.answer("docker images", "traefik:v3\nother:1\n")
    assert present(["docker.io/traefik:v3", "quay.io/a/b:1"]) == ["docker.io/traefik:v3"]


def test_images_for_gpus_are_left_out(programs: Programs) -> None:
    programs.answer(
        "docker images",
        "kserve-vision/server:dev\nkserve-vision/server-gpu:dev\nkserve-vision/a-gpu:dev\nkserve-vision/frontend:dev\n",
    )
    assert project_images("dev") == ["kserve-vision/frontend:dev", "kserve-vision/server:dev"]


def test_an_image_of_the_nodes_is_known_by_its_digest(programs: Programs) -> None:
    digest = f"sha256:{'ab' * 32}"
    name = "docker.io/kserve-vision/server:dev"
    words = f"docker exec vision-control-plane ctr --namespace k8s.io images list name=={name}"
    programs.answer(words, f"REF TYPE DIGEST\n{name} application/vnd {digest} 1 MiB\n")
    assert Cluster("vision").digest("kserve-vision/server:dev") == digest
    assert Cluster("vision").digest("kserve-vision/none:dev") == ""


def test_a_bundle_from_elsewhere_is_in_the_context_while_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, bundle = tmp_path / "root", tmp_path / "model"
    bundle.mkdir()
    (bundle / "model.yaml").write_text("name: cats")
    monkeypatch.setattr("scripts.images.ROOT", root)
    monkeypatch.setattr("scripts.images.COPIED", root / "images" / "copied")
    with within_context(bundle, "cats") as inside:
        assert inside == "images/copied/cats"
        assert (root / inside / "model.yaml").read_text() == "name: cats"
    assert not (root / "images/copied/cats").exists()


def test_the_first_node_alone_has_the_port() -> None:
    described = describe_nodes(3, 8088)
    nodes = described["nodes"]
    assert isinstance(nodes, list)
    assert [node["role"] for node in nodes] == ["control-plane", "worker", "worker"]
    assert nodes[0]["extraPortMappings"] == [{"containerPort": 30080, "hostPort": 8088, "listenAddress": "127.0.0.1"}]
