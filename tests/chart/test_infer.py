"""What `helm test` runs in a pod, run here against a server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundles import entry, write_colour_bundle
from rendering import CHART
from servers import Server, running_server

LONG, SHORT = 60, 0.1
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def helm() -> None:
    """Not needed here."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It serves colours, the same without samples, and the same with a sample that is labelled wrong."""
    folder = tmp_path_factory.mktemp("infer")
    colours = write_colour_bundle(folder / "colours")
    mislabelled = {**entry(colours, "samples/red-0.png"), "label": "blue"}
    bundles = {
        "colours": colours,
        "plain": write_colour_bundle(folder / "plain", samples=[]),
        "wrong": write_colour_bundle(folder / "wrong", samples=[mislabelled]),
    }
    models = [word for name, path in bundles.items() for word in ("--model", f"{name}={path}")]
    with running_server(folder / "server.log", *models) as running:
        yield running


def infer(folder: Path, seconds: float, **urls: str) -> subprocess.CompletedProcess[str]:
    """Run it with a catalogue of models by name and address."""
    catalogue = folder / "models.json"
    catalogue.write_text(json.dumps({"models": [{"id": name, "url": url} for name, url in urls.items()]}))
    command = [sys.executable, str(CHART / "files" / "infer.py"), str(catalogue), str(seconds)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_a_model_gives_its_first_sample_its_label(server: Server, tmp_path: Path) -> None:
    done = infer(tmp_path, LONG, colours=server.url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "colours: red\n", "")


def test_a_model_without_samples_labels_a_grey_picture(server: Server, tmp_path: Path) -> None:
    done = infer(tmp_path, LONG, plain=server.url)
    assert done.returncode == 0
    assert done.stdout.removeprefix("plain: ").strip() in ("red", "green", "blue")


def test_a_wrong_label_fails(server: Server, tmp_path: Path) -> None:
    done = infer(tmp_path, LONG, wrong=server.url)
    assert done.returncode == 1
    assert "wrong: red, but its sample is blue" in done.stdout


def test_a_dead_address_fails_and_the_others_are_asked_all_the_same(server: Server, tmp_path: Path) -> None:
    done = infer(tmp_path, SHORT, dead=NOBODY, colours=server.url)
    assert done.returncode == 1
    assert "dead: URLError" in done.stdout
    assert "colours: red" in done.stdout
    assert done.stdout.endswith("no answer, or a wrong one, from: dead\n")


def test_a_model_that_is_not_there_fails(server: Server, tmp_path: Path) -> None:
    done = infer(tmp_path, SHORT, dogs=server.url)
    assert done.returncode == 1
    assert "dogs: HTTPError: HTTP Error 404" in done.stdout


def test_no_model_is_no_failure(tmp_path: Path) -> None:
    done = infer(tmp_path, SHORT)
    assert done.returncode == 0
    assert "no model has pods" in done.stdout
