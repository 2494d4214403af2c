"""docs/chart.md, typed in by a test: each of its values files renders, and its commands that need no cluster run."""

import re
import subprocess

import pytest
import yaml
from rendering import HELM, ROOT, of, render

GUIDE = (ROOT / "docs" / "chart.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
VALUES = [yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml"]
COMMANDS = [text for kind, text in BLOCKS if kind == "bash"]


@pytest.mark.parametrize("values", VALUES, ids=lambda values: "-".join(values["models"]))
def test_each_values_file_of_the_guide_makes_its_models(values) -> None:
    assert set(of("InferenceService", render(values=values))) == set(values["models"])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_guide_runs(command: str) -> None:
    assert command.startswith("helm template ")
    done = subprocess.run(
        [str(HELM), *command.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
