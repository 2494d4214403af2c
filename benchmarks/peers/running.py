"""A peer's environment, and the peer running in it."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers.keeper import GRACE_SECONDS, descendants
from benchmarks.peers.loopback import ADDRESS, ENVIRONMENT, exposed
from benchmarks.peers.peer import Peer
from benchmarks.servers import Server, ServerError

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / "build" / "peers"
LOCK, READY = "requirements.txt", "ready"
START_SECONDS, ANSWER_SECONDS = 180.0, 60.0
_PAUSE = 0.1
_LAST_BYTES = 1500


class PeerError(ServerError):
    """A peer was not installed, did not start, or did not answer; the message says what it printed."""


def install(peer: Peer) -> Path:
    """Return the Python of the peer's own environment, which is made unless it is there: ``build/peers/<folder>``.

    Raises:
        PeerError: it can't be made; with what the installer printed.
    """
    if not peer.installed_apart:
        return Path(sys.executable)
    home, lock = ENVIRONMENTS / peer.folder, peer.path / LOCK
    python, ready = home / "bin" / "python", home / READY
    if not ready.exists() or ready.read_text() != lock.read_text():
        print(f"Installing {peer} into {os.path.relpath(home)}, once …", flush=True)
        _install(sys.executable, "-m", "venv", "--clear", "--without-pip", str(home))
        _install(
            *(str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet"),
            *("--python", str(python), "--require-hashes", "--requirement", str(lock)),
        )
        ready.write_text(lock.read_text())
    return python


def _install(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise PeerError(f"`{' '.join(command)}` failed: {ended.stderr.strip()}")


def log_of(peer: Peer) -> Path:
    """Return the file that gets what a peer prints."""
    return ENVIRONMENTS / f"{peer.folder}.log"


@contextlib.contextmanager
def running(
    peer: Peer, python: Path, workers: int, batch: int, image: bytes, *, draft: bool = False
) -> Iterator[Server]:
    """Run a peer until the context ends; every worker of it has its model and is warm, and it answers.

    Args:
        peer: Which one.
        python: Of its environment: what ``install`` returned.
        workers: How many processes have the model.
        batch: The largest number of images that the engine gets at once.
        image: A JPEG that it has to answer.
        draft: Let Pillow scale while it decodes.

    Raises:
        PeerError: it ended, did not answer in time, listens where others than this machine can reach it, or did not
            end; with the last of what it printed.
    """
    if (workers, batch) not in peer.configurations:
        raise PeerError(f"{peer} can't do {workers} workers with batches of {batch}; it can do {peer.configurations}")
    port = _free_port()
    target = f"{ADDRESS}:{port}"
    with tempfile.TemporaryDirectory(prefix="peer-") as scratch:
        folder = Path(scratch)
        (folder / READY).mkdir()
        settings = {"PORT": port, "WORKERS": workers, "BATCH": batch, "DRAFT": int(draft), "READY": folder / READY}
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            **ENVIRONMENT,
            **{f"PEER_{name}": str(value) for name, value in settings.items()},
            "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            **dict.fromkeys(("HOME", "RAY_TMPDIR", "TMPDIR"), scratch),
        }
        program = [str(python), "-m", peer.module]
        log = log_of(peer)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            keeper = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.peers.keeper", *program],
                cwd=ROOT,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait(peer, keeper, target, workers, folder / READY, image)
            yield Server(target, "", keeper.pid)
        except PeerError as error:
            printed = log.read_bytes()[-_LAST_BYTES:].decode(errors="replace")
            raise PeerError(f"{error} (the whole of it: {os.path.relpath(log)}):\n{printed}") from error
        finally:
            _end(keeper)


def ask(peer: Peer, target: str, image: bytes) -> int:
    """Return the class that a peer at ``127.0.0.1:PORT`` gives an image.

    Raises:
        PeerError: it answered something else than 200.
        OSError: it did not answer.
    """
    with socket.create_connection((ADDRESS, int(target.rpartition(":")[2])), ANSWER_SECONDS) as connection:
        connection.sendall(peer.build_request(image))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = answer.read()
    if answer.status != http.client.OK:
        raise PeerError(f"{peer} answered {answer.status}: {body[:200]!r}")
    return peer.read_class(body)


def _wait(peer: Peer, keeper: subprocess.Popen[bytes], target: str, workers: int, ready: Path, image: bytes) -> None:
    """Return when every worker has said that it is ready, and an image is answered."""
    deadline = time.monotonic() + START_SECONDS
    problem = "it has no model"
    while True:
        time.sleep(_PAUSE)
        if keeper.poll() is not None:
            raise PeerError(f"{peer} did not start: it ended with status {keeper.returncode}")
        if len(list(ready.iterdir())) >= workers:
            try:
                ask(peer, target, image)
                break
            except (OSError, http.client.HTTPException, PeerError) as error:
                problem = str(error)
                deadline = min(deadline, time.monotonic() + START_SECONDS / 4)
        if time.monotonic() > deadline:
            raise PeerError(f"{peer} was not ready in time: {problem}")
    if addresses := exposed(descendants(keeper.pid)):
        raise PeerError(f"{peer} listens for others than this machine: {', '.join(addresses)}")


def _end(keeper: subprocess.Popen[bytes]) -> None:
    left = descendants(keeper.pid)
    keeper.send_signal(signal.SIGTERM)
    try:
        keeper.wait(2 * sum(GRACE_SECONDS))
    except subprocess.TimeoutExpired:
        for process in left | descendants(keeper.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        keeper.kill()
        keeper.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])
