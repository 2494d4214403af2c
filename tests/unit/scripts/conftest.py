"""Fixtures of the scripts' tests."""

import sys
from pathlib import Path

import pytest
from fakes import FAKE, Programs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("docker", "kind", "helm", "kubectl"):
        path = folder / name
        path.write_text(FAKE.format(python=sys.executable, folder=str(folder)))
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}")
    monkeypatch.setattr("scripts.programs.TOOLS", tmp_path / "tools")  # where the real ones may be
    monkeypatch.setattr("scripts.programs.LOGS", tmp_path / "logs")
    monkeypatch.setattr("scripts.kind.ROOT", tmp_path)
    fakes = Programs(folder, [])
    fakes.answer("docker images", "")
    return fakes
