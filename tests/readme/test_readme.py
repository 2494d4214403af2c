"""The README, typed in by a test: its blocks run in order, against what `make run` starts."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from servers import free_port, is_ready, wait_until

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [(kind, text) for kind, text in BLOCKS if kind in ("bash", "python")]
START = ("bash", "make run\n")
INSTALL_SECONDS = 900

# curl prints an error answer and exits with 0, unless it is told not to
SHELL = 'set -o errexit -o nounset -o pipefail; curl() { command curl --fail-with-body --silent --show-error "$@"; }\n'


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """The ports that `make run` is given, by those that the README has."""
    return {shown: free_port() for shown in ("8000", "8080", "8081", "8082")}


@pytest.fixture(scope="module")
def port(ports: dict[str, int]) -> int:
    return ports["8080"]


@pytest.fixture(scope="module")
def made(ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`make run`, on a free port; the file that it writes to."""
    log = tmp_path_factory.mktemp("make") / "run.log"
    page, http, grpc, metrics = ports.values()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["make", "run", f"ARGS=--page-port {page} --http-port {http} --grpc-port {grpc} --metrics-port {metrics}"],
            cwd=ROOT,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(lambda: is_ready(f"http://127.0.0.1:{http}") or process.poll() is not None, INSTALL_SECONDS, 0.2)
        assert process.poll() is None, log.read_text()
        yield log
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        process.wait(60)
        assert "Traceback" not in log.read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which the blocks find `models` and can leave what they write."""
    (tmp_path / "models").symlink_to(ROOT / "models")
    return tmp_path


def run(kind: str, text: str, ports: dict[str, int], folder: Path) -> str:
    for shown, port in ports.items():
        text = text.replace(shown, str(port))
    command = [sys.executable, "-c", text] if kind == "python" else ["bash", "-c", SHELL + text]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.timeout(INSTALL_SECONDS + 60)
def test_make_run_says_where_everything_is_as_the_readme_shows(made: Path, ports: dict[str, int]) -> None:
    shown = next(text for kind, text in BLOCKS if kind == "text" and text.startswith("Serving"))
    printed = [
        line for line in made.read_text().splitlines() if re.match(r"(Serving|Page|Address|gRPC|Metrics|Try) ", line)
    ]
    for said, port in ports.items():
        shown = shown.replace(said, str(port))
    assert printed == shown.splitlines()


def test_the_page_is_there(made: Path, ports: dict[str, int]) -> None:
    answer = httpx.get(f"http://127.0.0.1:{ports['8000']}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_make_run_installed_no_torch(made: Path) -> None:
    listed = subprocess.run(
        [ROOT / ".venv/serve/bin/python", "-c", "import importlib.util as u; print(u.find_spec('torch'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout == "None\n"


@pytest.mark.parametrize(
    ("kind", "text"),
    [block for block in COMMANDS if block != START],
    ids=lambda value: value.strip().splitlines()[0][:60],
)
@pytest.mark.usefixtures("made")
def test_a_block_runs_as_it_stands(kind: str, text: str, ports: dict[str, int], folder: Path) -> None:
    assert run(kind, text, ports, folder).strip()


@pytest.mark.usefixtures("made")
def test_the_seven_is_a_seven_and_the_answer_is_the_one_shown(ports: dict[str, int], folder: Path) -> None:
    block = next(text for _, text in COMMANDS if text.startswith("curl --data-binary"))
    shown = json.loads(next(text for kind, text in BLOCKS if kind == "json"))
    answer = json.loads(run("bash", block, ports, folder))
    assert answer["predictions"][0]["label"] == "7"
    assert answer["revision"] == shown["revision"]
    for found, expected in zip(answer["predictions"], shown["predictions"], strict=True):
        assert (found["label"], found["class"]) == (expected["label"], expected["class"])
        assert found["probability"] == pytest.approx(expected["probability"], abs=1e-3)


@pytest.mark.usefixtures("made")
def test_every_sample_gets_its_label(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    samples = httpx.get(f"{url}/model/digits").json()["samples"]
    assert {sample["label"] for sample in samples} == set("0123456789")
    for sample in samples:
        image = httpx.get(url + sample["path"])
        assert image.headers["content-type"] == "image/png"
        answer = httpx.post(f"{url}/model/digits/predict", content=image.content).json()
        assert answer["predictions"][0]["label"] == sample["label"]


def test_the_figures_are_the_bundles() -> None:
    manifest = yaml.safe_load((ROOT / "models/digits/model.yaml").read_text())
    assert f"the {manifest['evaluation']['images']} images" in README
    for variant in manifest["variants"]:
        assert f"| {variant['precision']} | {variant['engine']} | {variant['accuracy']:.2%} |" in README


def test_the_test_command_is_what_ci_runs() -> None:
    assert "```text\nmake test\n```" in README
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("exec make test")


def test_files_that_the_readme_links_to_are_there() -> None:
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", README):
        assert (ROOT / target.partition("#")[0]).exists(), target


def test_make_run_with_a_folder_says_how_to_name_it() -> None:
    done = subprocess.run(["make", "run", "models/digits"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "make run MODELS=models/digits" in done.stderr
