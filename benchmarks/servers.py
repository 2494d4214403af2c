"""Servers as processes of their own, and what they use."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

LOGS, PROC = Path("build/benchmarks/logs"), Path("/proc")
START_SECONDS, STOP_SECONDS = 180.0, 30.0
FREE_PORTS = ("--http-port", "0", "--grpc-port", "0", "--metrics-port", "0")
KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20
_RESET_PEAK = "5"
"""What proc(5) has to be written into clear_refs."""


class ServerError(Exception):
    """A server did not start."""


@dataclass(frozen=True)
class Memory:
    """Of a process and its children, in MiB: resident, and with shared pages counted by share (PSS)."""

    rss: float
    pss: float


@dataclass(frozen=True)
class Server:
    """A running server; ``http`` and ``grpc`` are ``127.0.0.1:PORT``, ``grpc`` is empty where there is none."""

    http: str
    grpc: str
    pid: int

    def target(self, protocol: str) -> str:
        """Return the address of ``http`` or ``grpc``."""
        return self.grpc if protocol == "grpc" else self.http

    def cpu_seconds(self) -> float:
        """Return what the process and its children have used."""
        times = self._of_each(psutil.Process.cpu_times)
        return float(sum(each.user + each.system + each.children_user + each.children_system for each in times))

    def memory(self) -> Memory:
        """Return what the process and its children hold."""
        found = self._of_each(psutil.Process.memory_full_info)
        return Memory(sum(each.rss for each in found) / MEBIBYTE, sum(each.pss for each in found) / MEBIBYTE)

    def reset_peak(self) -> bool:
        """Let ``peak_memory`` count from now, and return whether it can: clear_refs in proc(5), Linux."""
        return bool(self._of_each(_reset_peak)[0])

    def peak_memory(self) -> float | None:
        """Return what the process and its children held at most since ``reset_peak``, RSS in MiB.

        It is the sum of what each held at its own most, pages that they share counted in each. None where /proc does
        not tell.
        """
        own, *children = self._of_each(_peak)
        return None if own is None else float(own + sum(each for each in children if each is not None))

    def _of_each(self, question: Callable[[psutil.Process], Any]) -> list[Any]:
        """Return what each process answers; a child that ends meanwhile answers nothing."""
        process = psutil.Process(self.pid)
        found = [question(process)]
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(question(child))
        return found


def _reset_peak(process: psutil.Process) -> bool:
    try:
        (PROC / str(process.pid) / "clear_refs").write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def _peak(process: psutil.Process) -> float | None:
    """Return VmHWM in MiB; None of a process that has ended, and where there is no such line."""
    try:
        status = (PROC / str(process.pid) / "status").read_text()
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * KIBIBYTE / MEBIBYTE if found else None


@contextlib.contextmanager
def serve_ours(models: Sequence[Path], *options: str, cores: Sequence[int] | None = None) -> Iterator[Server]:
    """Serve bundles with ``python -m model_server``; options as ``--model NAME=DIR`` are added behind.

    Args:
        models: The bundles, or folders of them.
        options: More of the server's own.
        cores: The CPUs that it may use; all of ours where it is None.

    Raises:
        ServerError: it did not start; with what it printed.
    """
    folders = [part for model in models for part in ("--models", str(model))]
    arguments = ["--device", "cpu", "--host", "127.0.0.1", *FREE_PORTS, "--no-access-log", "--drain-delay-seconds", "0"]
    command = [sys.executable, "-m", "model_server", *folders, *arguments, *options]
    addresses = re.compile(r"^Address +http://(\S+)\ngRPC +(\S+)", re.MULTILINE)
    with running(command, "ours", addresses, cores=cores) as (pid, found):
        yield Server(found[1], found[2], pid)


@contextlib.contextmanager
def running(
    command: Sequence[str],
    name: str,
    started: re.Pattern[str],
    *,
    cores: Sequence[int] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[int, re.Match[str]]]:
    """Run a program until the context ends; the value is its process id and what ``started`` found in its output.

    Raises:
        ServerError: it ended, or printed no such thing in time; with what it printed.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
    try:
        if cores is not None:
            os.sched_setaffinity(process.pid, cores)  # before it has threads
        yield process.pid, _wait_for(process, log, started)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], log: Path, started: re.Pattern[str]) -> re.Match[str]:
    deadline = time.monotonic() + START_SECONDS
    while not (found := started.search(log.read_text(errors="replace"))):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerError(f"{' '.join(map(str, process.args))} did not start:\n{log.read_text(errors='replace')}")  # type: ignore[arg-type]
        time.sleep(0.05)
    return found
