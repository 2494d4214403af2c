"""How the server starts, and what it says when it can't."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from bundles import write_colour_bundle
from servers import FREE_PORTS, Server, running_server, wait_until

STARTED = re.compile(
    r"Serving  colours \(int8 on openvino, [0-9a-f]{12}\)\n"
    r"Address  (?P<address>http://\S+:[1-9]\d*)\n"
    r"gRPC     \S+:[1-9]\d*\n"
    r"Metrics  http://\S+:[1-9]\d*/metrics\n"
    r"Try      (?P<command>curl .*)\n"
)


@dataclass(frozen=True)
class Refusal:
    """A start that is refused: its arguments, its exit status, and what its one line on stderr says."""

    arguments: list[str]
    status: int
    says: str


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory, colour_bundle: Path) -> Iterator[dict[str, Refusal]]:
    folder = tmp_path_factory.mktemp("refused")
    (folder / "empty").mkdir()
    twice = folder / "twice"
    for name in ("first", "second"):
        write_colour_bundle(twice / name)
    int8_only = folder / "int8-only"
    _write_without(int8_only, "float32")
    bundle = str(colour_bundle)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        yield {
            "port in use": Refusal(
                ["--models", bundle, *FREE_PORTS, "--http-port", port], 1, "--http-port (0 picks a free one)"
            ),
            "gRPC port in use": Refusal(
                ["--models", bundle, *FREE_PORTS, "--grpc-port", port], 1, "--grpc-port (0 picks a free one)"
            ),
            "metrics port in use": Refusal(
                ["--models", bundle, *FREE_PORTS, "--metrics-port", port], 1, "--metrics-port (0 picks a free one)"
            ),
            "address of another machine": Refusal(
                ["--models", bundle, *FREE_PORTS, "--host", "192.0.2.1"], 1, "an address of this machine"
            ),
            "missing folder": Refusal(["--models", str(folder / "none")], 1, "give --models a model bundle"),
            "no bundle": Refusal(["--models", str(folder / "empty")], 1, "vision-builder export"),
            "one name twice": Refusal(["--models", str(twice)], 1, "--model NAME=DIR"),
            "no such variant": Refusal(["--models", str(int8_only), "--precision", "float32"], 1, "int8"),
            "unknown precision": Refusal(["--models", bundle, "--precision", "int4"], 2, "'int8', 'float32'"),
            "not a name": Refusal(["--model", f"Cats={bundle}"], 1, "lower-case"),
            "no token file": Refusal(
                ["--models", bundle, "--repository-token-file", str(folder / "token")], 1, "No such file or directory"
            ),
            "no deadline": Refusal(["--timeout-seconds", "0"], 2, "a number of seconds above 0"),
        }


@pytest.fixture(scope="module")
def refused(refusals: dict[str, Refusal]) -> dict[str, subprocess.CompletedProcess[str]]:
    def start(refusal: Refusal) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "model_server", "--host", "127.0.0.1", *refusal.arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(refusals, pool.map(start, refusals.values()), strict=True))


@pytest.mark.parametrize(
    "case",
    [
        "port in use",
        "gRPC port in use",
        "metrics port in use",
        "address of another machine",
        "missing folder",
        "no bundle",
        "one name twice",
        "no such variant",
        "unknown precision",
        "not a name",
        "no token file",
        "no deadline",
    ],
)
def test_what_can_not_start_says_what_to_do_in_one_line(
    case: str, refusals: dict[str, Refusal], refused: dict[str, subprocess.CompletedProcess[str]]
) -> None:
    refusal, result = refusals[case], refused[case]
    assert result.returncode == refusal.status, result.stderr
    assert result.stdout == ""
    *usage, line = result.stderr.splitlines()
    assert refusal.says in line
    assert line.startswith("vision-server: ")
    if refusal.status == 2:
        assert usage[0].startswith("usage: vision-server")
    else:
        assert usage == []


def test_it_says_what_it_serves_where_and_how_to_try_it(colour_bundle: Path, tmp_path: Path) -> None:
    with running_server(tmp_path / "log", "--models", str(colour_bundle), "--no-access-log") as server:
        started = STARTED.fullmatch(server.log.read_text())
        assert started
        assert started["address"] == server.url
        assert _labels(started["command"]) == ["red", "green", "blue"]
        assert STARTED.fullmatch(server.log.read_text())  # no line for that request


def test_the_command_to_try_is_right_on_ipv6(colour_bundle: Path, tmp_path: Path) -> None:
    try:
        with closing(socket.create_server(("::1", 0), family=socket.AF_INET6)):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6")
    with running_server(tmp_path / "log", "--models", str(colour_bundle), "--host", "::1") as server:
        started = STARTED.match(server.log.read_text())
        assert started
        assert _labels(started["command"]) == ["red", "green", "blue"]


def test_the_command_to_try_can_be_pasted_whatever_the_folder_is_called(tmp_path: Path) -> None:
    bundle = write_colour_bundle(tmp_path / "my models" / "colours; #1")
    with running_server(tmp_path / "log", "--models", str(bundle.parent)) as server:
        started = STARTED.match(server.log.read_text())
        assert started
        assert _labels(started["command"]) == ["red", "green", "blue"]


def test_a_request_is_a_line_of_json_and_a_probe_is_none(colour_server: Server) -> None:
    before = len(_access_lines(colour_server))
    httpx.get(f"{colour_server.url}/v2/health/ready")
    answer = httpx.post(f"{colour_server.url}/model/nobody/predict?top_k=1", content=b"x")
    wait_until(lambda: len(_access_lines(colour_server)) > before)
    (line,) = _access_lines(colour_server)[before:]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line.pop("time"))
    assert line.pop("seconds") >= 0
    assert line == {
        "method": "POST",
        "path": "/model/nobody/predict",
        "status": 404,
        "bytes": len(answer.content),
        "client": "127.0.0.1",
    }


def _labels(command: str) -> list[str]:
    result = subprocess.run(
        command, shell=True, executable="/bin/sh", capture_output=True, text=True, timeout=60, check=True
    )
    return [entry["label"] for entry in json.loads(result.stdout)["predictions"]]


def _access_lines(server: Server) -> list[dict[str, object]]:
    return [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]


def _write_without(folder: Path, precision: str) -> None:
    write_colour_bundle(folder)
    manifest = yaml.safe_load((folder / "model.yaml").read_text())
    manifest["variants"] = [variant for variant in manifest["variants"] if variant["precision"] != precision]
    (folder / "model.yaml").write_text(yaml.safe_dump(manifest))
