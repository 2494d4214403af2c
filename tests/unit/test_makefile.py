"""`make help` lists what the documents name, in two columns."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = ROOT / "Makefile"
TARGETS = set(re.findall(r"^([a-z0-9-]+):(?!=)", MAKEFILE.read_text(), re.MULTILINE))
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("charts/*/README.md"))]
LINE = re.compile(r"  make (\S+) +(?=\S)")


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> list[re.Match[str]]:
    """Return what `make help` prints, each line's target and where its text begins."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    command = ["make", "--no-print-directory", "--file", str(MAKEFILE), "help"]
    folder = tmp_path_factory.mktemp("elsewhere")
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    found = [LINE.match(line) for line in done.stdout.splitlines()]
    assert all(found), done.stdout
    return [each for each in found if each]


def test_every_target_that_a_document_names_is_listed(listed: list[re.Match[str]]) -> None:
    commands = re.compile(r"(?:^|`)make ([a-z0-9-]+)", re.MULTILINE)
    named = {name for path in DOCUMENTS for name in commands.findall(path.read_text())} & TARGETS
    assert {"run", "e2e", "imports", "bench-peers"} <= named
    assert named <= {each[1] for each in listed}


def test_the_texts_stand_in_one_column(listed: list[re.Match[str]]) -> None:
    assert len({each.end() for each in listed}) == 1
