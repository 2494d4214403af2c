"""A peer runs in a tree of processes that ends whole, and is kept to the loopback."""

import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from fake_peer import FAILS, STARTS_WIDE

from benchmarks.decks import http_request
from benchmarks.peers import running as module
from benchmarks.peers.keeper import descendants
from benchmarks.peers.peer import Peer
from benchmarks.peers.running import PeerError, ask, install, running


@dataclass(frozen=True)
class FakePeer(Peer):
    @property
    def module(self) -> str:
        return "tests.unit.benchmarks.peers.fake_peer"


FAKE = FakePeer(
    "Fake",
    "1",
    "fake",
    build_request=lambda image: http_request("/", image),
    read_class=int,
    configurations=((1, 1), (1, STARTS_WIDE), (1, FAILS)),
    installed_apart=False,
)


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENVIRONMENTS", tmp_path)


def test_it_answers_and_leaves_no_process_behind() -> None:
    with running(FAKE, install(FAKE), 1, 1, b"an image") as server:
        assert ask(FAKE, server.http, b"another") == 7
        processes = descendants(server.pid)
        assert len(processes) == 2
    assert not [process for process in processes if psutil.pid_exists(process)]


def test_one_that_listens_for_other_machines_is_refused() -> None:
    with pytest.raises(PeerError, match="listens for others than this machine: 00000000:"), _run(STARTS_WIDE):
        pass


def test_one_that_does_not_start_says_why() -> None:
    with pytest.raises(PeerError, match=r"(?s)did not start: it ended with status 1.*no model here"), _run(FAILS):
        pass


def test_a_configuration_that_it_has_not_is_refused() -> None:
    with pytest.raises(PeerError, match="Fake 1 can't do 4 workers with batches of 1"):
        running(FAKE, Path(sys.executable), 4, 1, b"").__enter__()


def _run(batch: int):
    return running(FAKE, Path(sys.executable), 1, batch, b"an image")
