"""`python -m frontend.laptop`, which `make run` calls: the server and the page begin and end together."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from servers import FREE_PORTS, wait_until

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "frontend.laptop"]
OPTIONS = ["--models", str(ROOT / "models/digits"), "--host", "127.0.0.1", *FREE_PORTS]


class Laptop:
    """Both, and what they printed."""

    def __init__(self, log: Path, *options: str) -> None:
        self.log = log
        command = [*COMMAND, *OPTIONS, "--page-port", "0", *options]
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file)
        wait_until(lambda: self.address("Address") or self.process.poll() is not None, 120)

    def address(self, what: str) -> str:
        found = re.search(rf"^{what} +(\S+)", self.log.read_text(), re.MULTILINE)
        return found[1] if found else ""

    def begin_upload(self) -> socket.socket:
        """Send the page a request whose body stays incomplete."""
        host, port = self.address("Page").removeprefix("http://").split(":")
        upload = socket.create_connection((host, int(port)))
        upload.sendall(b"POST /model/digits/predict HTTP/1.1\r\nHost: page\r\nContent-Length: 1000\r\n\r\nbegun")
        return upload

    @property
    def server(self) -> int:
        """Return the server's process."""
        return int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text())


@pytest.fixture
def laptop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Laptop]:
    """Both; a test may ask for options of its own, as an indirect parameter."""
    found = Laptop(tmp_path / "run.log", *getattr(request, "param", ()))
    yield found
    if found.process.poll() is None:
        found.process.terminate()
        found.process.wait(60)
    assert "Traceback" not in found.log.read_text()


def test_the_page_shows_what_the_server_has(laptop: Laptop) -> None:
    page = laptop.address("Page")
    assert httpx.get(page).headers["content-type"].startswith("text/html")
    assert httpx.get(f"{page}/catalogue").json()["models"][0]["id"] == "digits"
    picture = (ROOT / "models/digits/samples/7-0.png").read_bytes()
    answer = httpx.post(f"{page}/model/digits/predict", content=picture)
    assert answer.json()["predictions"][0]["label"] == "7"
    assert answer.headers["server-timing"].startswith("model;dur=")


@pytest.mark.parametrize("laptop", [("--max-body-bytes", "1000", "--body-timeout-seconds", "0.5")], indirect=True)
def test_the_servers_limits_are_the_pages_too(laptop: Laptop) -> None:
    page = laptop.address("Page")
    assert httpx.get(f"{page}/catalogue").json()["max_body_bytes"] == 1000
    refused = httpx.post(f"{page}/model/digits/predict", content=bytes(1001))
    assert (refused.status_code, "1000 bytes" in refused.json()["error"]) == (413, True)
    with laptop.begin_upload() as upload:
        assert b"did not arrive within 0.5 seconds" in upload.makefile("rb").read()


def test_a_limit_that_is_none_is_refused_before_anything_starts() -> None:
    command = [*COMMAND, *OPTIONS, "--max-body-bytes", "32M"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "argument --max-body-bytes: '32M' is not a whole number above 0" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_both(laptop: Laptop, number: int) -> None:
    address = laptop.address("Address")
    laptop.process.send_signal(number)
    assert laptop.process.wait(60) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_ctrl_c_says_who_is_waited_for_and_a_second_one_waits_for_nobody(laptop: Laptop) -> None:
    with laptop.begin_upload():
        assert httpx.get(f"{laptop.address('Page')}/catalogue").is_success  # so its head has been read too
        laptop.process.send_signal(signal.SIGINT)
        wait_until(lambda: "requests that are answered first: " in laptop.log.read_text(), 60)
        laptop.process.send_signal(signal.SIGINT)
        assert laptop.process.wait(60) == 0
    assert "requests that are cut off: " in laptop.log.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's children in /proc")
def test_ctrl_c_while_it_starts_ends_both_without_a_word(tmp_path: Path) -> None:
    children: list[str] = []
    with (tmp_path / "run.log").open("wb") as log:
        process = subprocess.Popen([*COMMAND, *OPTIONS, "--page-port", "0"], stdout=log, stderr=log)
    of_the_process = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_until(lambda: children.extend(of_the_process.read_text().split()) or children, 60)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert (tmp_path / "run.log").read_text() == ""
    assert not Path(f"/proc/{children[0]}").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's children in /proc")
def test_the_page_ends_with_the_server_and_says_so(laptop: Laptop) -> None:
    os.kill(laptop.server, signal.SIGKILL)
    assert laptop.process.wait(60) == 128 + signal.SIGKILL
    assert "the model server has ended, so the page ends too" in laptop.log.read_text()


def test_a_port_that_is_taken_is_named_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, *OPTIONS, "--page-port", port], capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"make run: can't listen on 127.0.0.1:{port}: ")
    assert 'another port with ARGS="--page-port 8001"' in done.stderr


def test_a_server_that_can_t_start_says_why_and_nothing_stays() -> None:
    command = [*COMMAND, "--models", "nowhere", *FREE_PORTS, "--page-port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("vision-server: nowhere")
    assert "Page" not in done.stdout


def test_help_has_the_pages_option_and_the_servers() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=60, check=True)
    assert "--page-port" in done.stdout
    assert "--http-port" in done.stdout
