"""What `helm test` runs in a pod, run here against a server."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundles import entry, write_colour_bundle
from rendering import CHART
from servers import Server, running_server, wait_until

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


@pytest.fixture(scope="module")
def frontend(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a frontend over it."""
    log = tmp_path_factory.mktemp("frontend") / "log"
    command = [sys.executable, "-m", "frontend", "--host=127.0.0.1", "--port=0", f"--gateway={server.url}"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        wait_until(lambda: b"Page " in log.read_bytes() or process.poll() is not None)
        (address,) = re.findall(r"^Page +(\S+)", log.read_text(), re.MULTILINE)
        yield address
    finally:
        process.kill()
        process.wait()


def infer(folder: Path, seconds: float, frontend: str = "", **urls: str) -> subprocess.CompletedProcess[str]:
    """Run it with a catalogue of models by name and address, and of the frontend."""
    catalogue = folder / "models.json"
    document = {"models": [{"id": name, "url": url} for name, url in urls.items()]}
    catalogue.write_text(json.dumps({**document, "frontend": frontend} if frontend else document))
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


def test_the_frontend_is_asked_for_the_page_and_for_each_model(server: Server, frontend: str, tmp_path: Path) -> None:
    done = infer(tmp_path, LONG, frontend, colours=server.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "colours: red\ncolours, by way of the frontend: red\nthe page is there\n"


def test_a_model_that_the_frontend_does_not_know_fails(server: Server, frontend: str, tmp_path: Path) -> None:
    done = infer(tmp_path, SHORT, frontend, dogs=server.url)
    assert done.returncode == 1
    assert "dogs, by way of the frontend: HTTPError: HTTP Error 404" in done.stdout
    assert done.stdout.endswith("from: dogs; dogs, by way of the frontend\n")


def test_a_frontend_without_a_page_fails(server: Server, tmp_path: Path) -> None:
    """A model's server has none."""
    done = infer(tmp_path, SHORT, server.url, colours=server.url)
    assert done.returncode == 1
    assert "the page: ValueError" in done.stdout
    assert done.stdout.endswith("from: the page\n")


def test_the_page_alone_is_looked_for(frontend: str, tmp_path: Path) -> None:
    done = infer(tmp_path, LONG, frontend)
    assert done.returncode == 0
    assert done.stdout == "the page is there\nno model has pods: there is nothing to ask\n"
