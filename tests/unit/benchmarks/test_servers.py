"""A server is a process of its own, and says what it uses."""

import re
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks import servers
from benchmarks.servers import Server, ServerError, running

START = re.compile(r"listening on (\d+)")
SERVES = "print('listening on', 7, flush=True); import time; time.sleep(60)"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "LOGS", tmp_path)


def test_it_runs_until_the_context_ends() -> None:
    with running([sys.executable, "-c", SERVES], "x", START) as (pid, found):
        assert found[1] == "7"
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


def test_what_a_program_said_that_did_not_start_is_told() -> None:
    with (
        pytest.raises(ServerError, match="no such port"),
        running([sys.executable, "-c", "raise SystemExit('no such port')"], "x", START),
    ):
        pass


def test_children_count() -> None:
    child = f"sum(range(5_000_000)); {SERVES}"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with running([sys.executable, "-c", program], "x", START) as (pid, _):
        server = Server("127.0.0.1:7", "127.0.0.1:8", pid)
        alone = psutil.Process(pid)
        assert server.cpu_seconds() > sum(alone.cpu_times()[:2])
        memory = server.memory()
        assert memory.rss > alone.memory_info().rss / servers.MEBIBYTE
        assert 0 < memory.pss <= memory.rss
        for process in alone.children():
            process.kill()
    assert (server.target("http"), server.target("grpc")) == ("127.0.0.1:7", "127.0.0.1:8")
