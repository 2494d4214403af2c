"""Programs that the scripts call: docker, kind, helm and kubectl."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import IO

from scripts.errors import StepError
from scripts.versions import ROOT

LOGS = ROOT / "build" / "kind" / "logs"
LAST_LINES = 12
TOOLS = ROOT / ".tools" / "bin"

HOW_TO_GET = {
    "docker": "install Docker, or start it: https://docs.docker.com/engine/install",
    "kind": "`make tools` builds it into .tools/bin with Go; or https://kind.sigs.k8s.io",
    "helm": "`make tools` builds it into .tools/bin with Go; or https://helm.sh/docs/intro/install",
    "kubectl": "install it: https://kubernetes.io/docs/tasks/tools",
}


def search_path() -> str:
    """Return the ``PATH``, behind what ``make tools`` built of the versions that are pinned."""
    return os.pathsep.join([str(TOOLS), os.environ.get("PATH", os.defpath)])


def run(
    *command: str,
    next_step: str,
    given: str | None = None,
    log: str | None = None,
) -> str:
    """Run a program and return what it printed on standard output.

    Args:
        command: The program's name and its arguments.
        next_step: What to try when it fails.
        given: Its standard input.
        log: A name under ``build/kind/logs``: everything that it prints is kept there, and nothing is returned.

    Raises:
        StepError: it was not found or failed; with the last lines that it printed.
    """
    program = shutil.which(command[0], path=search_path())
    if program is None:
        raise StepError(f"{command[0]} was not found", HOW_TO_GET.get(command[0], next_step))
    if log is None:
        status, printed, errors = _call(program, command[1:], given, subprocess.PIPE, subprocess.PIPE)
    else:
        LOGS.mkdir(parents=True, exist_ok=True)
        path = LOGS / f"{log}.log"
        with path.open("w") as file:
            status, _, _ = _call(program, command[1:], given, file, subprocess.STDOUT)
        printed, errors = "", path.read_text(errors="replace")
        next_step = f"{next_step} (everything it printed: {os.path.relpath(path)})"
    if status:
        last = "\n".join((errors or printed).strip().splitlines()[-LAST_LINES:])
        raise StepError(f"`{' '.join(command[:3])} …` failed with status {status}:\n{last}", next_step)
    return printed


def _call(
    program: str, arguments: Sequence[str], given: str | None, out: IO[str] | int, errors: int
) -> tuple[int, str, str]:
    """Return its status and what it printed. A Ctrl-C reaches it too: it is waited for, until a second one comes."""
    with subprocess.Popen(
        [program, *arguments],
        stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
        stdout=out,
        stderr=errors,
        text=True,
        env={**os.environ, "PATH": search_path()},
    ) as process:
        try:
            printed, told = process.communicate(given)
        except KeyboardInterrupt:
            process.wait()
            raise
    return process.returncode, printed or "", told or ""
