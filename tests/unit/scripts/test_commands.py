"""What a person sees: each script's help, refusals with the next step, and what it does when it is run again."""

import os
import subprocess
from pathlib import Path

import pytest
from fakes import Programs

from scripts.__main__ import COMMANDS, main
from scripts.errors import NotAnsweringError
from scripts.versions import ROOT


@pytest.mark.parametrize("name", COMMANDS)
def test_every_script_is_there_and_tells_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (ROOT / "scripts" / name).resolve() == ROOT / "scripts" / "run"
    assert os.access(ROOT / "scripts" / name, os.X_OK)
    with pytest.raises(SystemExit) as ended:
        main(name, ["--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 4


REFUSALS = [
    ("cluster-up", ["--nodes", "0"], "--nodes 0 is not 1 to 9"),
    ("cluster-up", ["--port", "70000"], "--port 70000 is not 1 to 65535"),
    ("cluster-up", ["--name", "My Cluster"], "is no cluster's name"),
    ("install-platform", ["--with", "istio"], "'istio' is no part of the platform"),
    ("install-platform", ["--without", "kserv"], "there are: cert-manager, kserve"),
    ("install-platform", ["--values", "traefik"], "is not NAME=PATH"),
    ("install-platform", ["--values", "traefik=nowhere.yaml"], "there is no such file"),
    ("install-platform", [], "there is no cluster vision"),
    ("install-platform", ["--values", "keda=README.md"], "its chart is not installed"),
    ("build-images", ["--bundle", "digits=scripts"], "it has no model.yaml"),
    ("build-images", ["--bundle", "Cats=models/digits"], "'Cats' can't be the image's name"),
    ("build-images", ["--bundle", "server=models/digits"], "'server' can't be the image's name"),
    ("build-images", ["--bundle", "frontend=models/digits"], "'frontend' can't be the image's name"),
    ("build-images", ["--certificates", "nowhere.pem"], "there is no such file"),
    ("load-images", [], "there is no cluster vision"),
    ("deploy", [], "there is no cluster vision"),
    ("deploy", ["production"], "'production' is no environment and no file"),
    ("smoke", [], "there is no cluster vision"),
]


@pytest.mark.parametrize(("name", "arguments", "words"), REFUSALS)
def test_a_refusal_names_the_value_and_the_next_step(
    programs: Programs, capsys: pytest.CaptureFixture[str], name: str, arguments: list[str], words: str
) -> None:
    assert main(name, arguments) == 1
    said = capsys.readouterr().err
    assert words in said
    assert "\n  next: " in said


def test_docker_that_does_not_answer(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    programs.answer("docker info", "Cannot connect to the Docker daemon\n", status=1)
    assert main("cluster-up", []) == 1
    said = capsys.readouterr().err
    assert "Cannot connect" in said
    assert "start Docker" in said


def test_a_cluster_of_another_shape_is_not_touched(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    programs.answer("kind get clusters", "vision\n")
    programs.answer("kind get nodes", "vision-control-plane\n")
    programs.answer("docker inspect", '{"30080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8088"}]}')
    assert main("cluster-up", ["--nodes", "3"]) == 1
    assert main("cluster-up", ["--port", "9000"]) == 1
    said = capsys.readouterr().err
    assert "has 1 node(s), not 3" in said
    assert "on port 8088, not 9000" in said
    assert programs.called("docker", "start") == []


def test_down_of_nothing_is_done_already(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("cluster-down", []) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert programs.called("kind", "delete") == []


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the build context that files of elsewhere are copied into."""
    monkeypatch.setattr("scripts.images.ROOT", tmp_path)
    monkeypatch.setattr("scripts.images.COPIED", tmp_path / "images" / "copied")
    return tmp_path / "images" / "copied"


def test_building_hands_on_what_a_closed_network_needs(
    programs: Programs, tmp_path: Path, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_IMAGE", "mirror.internal/python:3.13")
    monkeypatch.setenv("DOCKER_BUILD_OPTIONS", "--network host")
    certificates = tmp_path / "ours.pem"
    certificates.write_text("a certificate")
    assert main("build-images", ["--index-url", "http://mirror.internal", "--certificates", str(certificates)]) == 0
    frontend, server, digits = programs.called("docker", "build")
    assert frontend[frontend.index("--target") + 1] == "frontend"
    assert frontend[frontend.index("--tag") + 1] == "kserve-vision/frontend:dev"
    for words in ("PYTHON_IMAGE=mirror.internal/python:3.13", "INDEX_URL=http://mirror.internal", "--network", "host"):
        assert all(words in call for call in (frontend, server, digits))
    assert "CERTIFICATES=images/copied/certificates.pem" in server
    assert digits[digits.index("--target") + 1] == "server-baked"
    assert "BUNDLE=images/copied/digits" in digits
    assert list(copied.iterdir()) == []


def test_each_image_gets_the_bundle_that_was_said(programs: Programs, tmp_path: Path, copied: Path) -> None:
    """Two folders of the same name are two bundles."""
    arguments = []
    for name in ("a", "b"):
        folder = tmp_path / name / "model"
        folder.mkdir(parents=True)
        (folder / "model.yaml").write_text(f"name: {name}")
        arguments += ["--bundle", f"{name}={folder}"]
    assert main("build-images", arguments) == 0
    built = {call[call.index("--tag") + 1]: call for call in programs.called("docker", "build")}
    assert "BUNDLE=images/copied/a" in built["kserve-vision/a:dev"]
    assert "BUNDLE=images/copied/b" in built["kserve-vision/b:dev"]


def test_a_cluster_that_is_there_is_started_and_waited_for(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a restart of Docker its API does not answer at once."""
    programs.answer("kind get clusters", "vision\n")
    programs.answer("kind get nodes", "vision-control-plane\n")
    programs.answer("docker inspect", '{"30080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8088"}]}')
    ready = {"metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    answers = iter([NotAnsweringError("it does not answer", ""), [], [ready]])

    class FakeApi:
        def __init__(self, _: object) -> None:
            self.answer = next(answers)
            if isinstance(self.answer, Exception):
                raise self.answer

        def list(self, *_: str) -> object:
            return self.answer

    monkeypatch.setattr("scripts.commands.cluster_up.Api", FakeApi)
    monkeypatch.setattr("scripts.api.POLL_SECONDS", 0)
    assert main("cluster-up", []) == 0
    assert programs.called("docker", "start") == [["docker", "start", "vision-control-plane"]]
    assert "1 node(s)" in capsys.readouterr().out
    assert programs.called("kind", "create") == []


def test_a_cluster_of_somebody_else_is_not_removed(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    programs.answer("kind get clusters", "theirs\n")
    programs.answer("docker inspect", "{}")
    assert main("cluster-down", ["--name", "theirs"]) == 1
    assert "was not made by scripts/cluster-up" in capsys.readouterr().err
    assert programs.called("kind", "delete") == []


def test_the_executable_runs_from_anywhere(tmp_path: Path) -> None:
    """`scripts/run` installs .venv/scripts when it is missing; what it is asked for here needs nothing but that."""
    other = tmp_path / "scripts"
    other.mkdir()
    (other / "__main__.py").write_text("print('another program')")
    link = tmp_path / "cluster-up"
    link.symlink_to(ROOT / "scripts" / "cluster-up")
    done = subprocess.run([link, "--nodes", "0"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--nodes 0 is not 1 to 9" in done.stderr
