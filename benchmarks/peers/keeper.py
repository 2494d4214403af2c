"""Runs a program and, when it is to end, ends whatever it has started: also what made itself a daemon, as Ray's do.

    python -m benchmarks.peers.keeper PROGRAM ARGUMENT …

Ended by SIGTERM, or when the process that started it ends. Linux only.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # prctl(2)
GRACE_SECONDS = (20.0, 3.0)
"""How long the program itself may take after SIGTERM, and then what it has left."""
_PAUSE = 0.05


def descendants(process: int) -> set[int]:
    """Return the processes that this one has started, and those that they have, without zombies."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:  # it has ended since
                continue
            if state != "Z":
                children.setdefault(int(parent), []).append(int(entry.name))
    found: set[int] = set()
    pending = [process]
    while pending:
        pending += (more := children.get(pending.pop(), []))
        found.update(more)
    return found


def main() -> int:
    """Return the program's status."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    program = subprocess.Popen(sys.argv[1:])
    asked = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: asked.append(number))
    while not asked and program.poll() is None:
        time.sleep(_PAUSE)
    program.terminate()
    _wait_while(lambda: program.poll() is None, GRACE_SECONDS[0])
    number = signal.SIGTERM
    while left := descendants(os.getpid()):
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
        _wait_while(lambda: bool(descendants(os.getpid())), GRACE_SECONDS[1])
        number = signal.SIGKILL
    status = program.wait()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    return status


def _wait_while(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while condition() and time.monotonic() < deadline:
        time.sleep(_PAUSE)


if __name__ == "__main__":
    sys.exit(main())
