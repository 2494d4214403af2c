"""What a peer is installed from: pinned, by hash, with the engine that the server has."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from benchmarks.peers.peer import NEWCOMER, PEERS, Peer

ROOT = Path(__file__).parents[4]
ENGINE = ("numpy", "openvino", "pillow", "pyyaml")
NAMES = {"KServe SDK": "kserve", "Ray Serve": "ray"}
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def pins(path: Path) -> dict[str, str]:
    return dict(PIN.findall(path.read_text()))


@pytest.mark.parametrize("peer", PEERS, ids=str)
def test_every_requirement_is_pinned_by_hash_and_names_no_address(peer: Peer) -> None:
    text = (peer.path / "requirements.txt").read_text()
    blocks = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) > 20
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("peer", PEERS, ids=str)
def test_the_engine_is_the_servers_own(peer: Peer) -> None:
    ours, theirs = pins(ROOT / "requirements/serve.txt"), pins(peer.path / "requirements.txt")
    assert {name: theirs[name] for name in ENGINE} == {name: ours[name] for name in ENGINE}


@pytest.mark.parametrize("peer", PEERS, ids=str)
def test_the_version_that_is_told_is_the_one_that_is_installed(peer: Peer) -> None:
    name = NAMES.get(peer.name, peer.name.lower())
    assert pins(peer.path / "requirements.txt")[name] == peer.version
    assert re.search(
        rf"^{name}(\[\w+\])?=={re.escape(peer.version)}$", (peer.path / "requirements.in").read_text(), re.M
    )


def test_the_newcomer_has_the_kserve_that_is_installed_here() -> None:
    assert version("kserve") == NEWCOMER.version


@pytest.mark.parametrize("peer", [*PEERS, NEWCOMER], ids=str)
def test_a_folder_has_a_server_and_what_it_is_installed_from(peer: Peer) -> None:
    names = {path.name for path in peer.path.iterdir()}
    assert {"__init__.py", "server.py"} <= names
    assert ({"requirements.in", "requirements.txt"} <= names) == peer.installed_apart


def test_kserve_logs_nothing_of_a_request_and_its_errors_still() -> None:
    folder = next(peer for peer in PEERS if peer.name == "KServe SDK").path
    program = f"""
import json, logging, logging.config
logging.config.dictConfig(json.load(open({str(folder / "logging.json")!r})))
for name in ("uvicorn.access", "kserve.trace"):  # uvicorn asks whether there are handlers
    logger = logging.getLogger(name)
    assert not (logger.hasHandlers() and logger.isEnabledFor(logging.INFO)), name
logging.getLogger("uvicorn.error").error("broken")
"""
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr == "broken\n"
    )


def test_mlserver_finds_its_runtime() -> None:
    folder = next(peer for peer in PEERS if peer.name == "MLServer").path
    module, name = json.loads((folder / "model-settings.json").read_text())["implementation"].split(".")
    assert f"class {name}(" in (folder / f"{module}.py").read_text()
