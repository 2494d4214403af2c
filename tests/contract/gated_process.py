"""The server as a process of its own whose engines wait behind a gate: a file, as long as it exists."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from servers import Server, running_server

QUEUED = 8


@contextlib.contextmanager
def slow_server(bundle: Path, gate: Path, *arguments: str, wait_for: str = r"Address +(\S+)") -> Iterator[Server]:
    """Start it; it takes ``QUEUED`` images at once. A file `waiting` appears beside the gate once an engine waits."""
    limits = ("--queue-size", str(QUEUED), "--max-images", str(QUEUED))
    program = (str(Path(__file__).with_name("gated_server.py")), str(gate))
    with running_server(
        gate.with_name("server.log"), "--models", str(bundle), *limits, *arguments, wait_for=wait_for, program=program
    ) as server:
        yield server
