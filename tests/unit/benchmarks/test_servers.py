"""A server is a process of its own, and says what it uses."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
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


@contextlib.contextmanager
def running_with_input(program: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        yield process
        process.kill()


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


@pytest.mark.parametrize("runs", ["exec({!r})", "import subprocess, sys; subprocess.run([sys.executable, '-c', {!r}])"])
def test_the_most_memory_counts_from_when_it_was_asked_for(runs: str) -> None:
    """Of the process itself, and of its child."""
    takes = "print('taken', sum(bytearray(mib << 20)[::4096]), flush=True)"
    program = runs.format(f"mib = 200; {takes}; input(); mib = 100; {takes}; input()")
    with running_with_input(program) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        server = Server("", "", process.pid)
        before = server.peak_memory()
        if before is None or not server.reset_peak():
            pytest.skip("/proc does not tell here")
        resting = server.peak_memory()
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        after = server.peak_memory()
        assert resting is not None
        assert after is not None
        assert before > 200
        assert resting < 100
        assert 100 < after < 200
        assert after > server.memory().rss, "which has been given back"


def test_where_proc_does_not_tell_there_is_no_most(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(servers, "PROC", tmp_path)
    server = Server("", "", psutil.Process().pid)
    assert not server.reset_peak()
    assert server.peak_memory() is None


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
        peak = server.peak_memory()
        assert peak is None or peak > memory.rss * 0.99, "its pages may be counted a little later"
        for process in alone.children():
            process.kill()
    assert (server.target("http"), server.target("grpc")) == ("127.0.0.1:7", "127.0.0.1:8")
