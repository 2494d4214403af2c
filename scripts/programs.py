"""Programs that the scripts call: docker, kind, helm and kubectl."""

import os
import shutil
import subprocess
from collections.abc import Mapping

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
    """Return the ``PATH`` with what ``make tools`` built behind what the person has."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), str(TOOLS)])


def run(
    *command: str,
    next_step: str,
    given: str | None = None,
    log: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program and return what it printed on standard output.

    Args:
        command: The program's name and its arguments.
        next_step: What to try when it fails.
        given: Its standard input.
        log: A name under ``build/kind/logs``: everything that it prints is kept there, and nothing is returned.
        environment: Variables for it, beside those that there are.

    Raises:
        StepError: it was not found or failed; with the last lines that it printed.
    """
    program = shutil.which(command[0], path=search_path())
    if program is None:
        raise StepError(f"{command[0]} was not found", HOW_TO_GET.get(command[0], next_step))
    variables = {**os.environ, **(environment or {}), "PATH": search_path()}
    arguments = [program, *command[1:]]
    if log is None:
        done = subprocess.run(arguments, input=given, text=True, capture_output=True, env=variables, check=False)
        printed = done.stderr or done.stdout
    else:
        LOGS.mkdir(parents=True, exist_ok=True)
        path = LOGS / f"{log}.log"
        with path.open("w") as file:
            done = subprocess.run(
                arguments, input=given, text=True, stdout=file, stderr=subprocess.STDOUT, env=variables, check=False
            )
        printed = path.read_text(errors="replace")
        next_step = f"{next_step} (everything it printed: {os.path.relpath(path)})"
    if done.returncode:
        last = "\n".join(printed.strip().splitlines()[-LAST_LINES:])
        raise StepError(f"`{' '.join(command[:3])} …` failed with status {done.returncode}:\n{last}", next_step)
    return done.stdout or ""
