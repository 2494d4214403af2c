"""A figure says what it depends on."""

from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.machine import describe_machine, print_machine, read_commit


def test_it_names_the_cpu_the_cores_and_the_versions(capsys: pytest.CaptureFixture[str]) -> None:
    found = describe_machine()
    assert all(found[name] for name in ("cpu", "cores", "python", "openvino"))
    print_machine("pytest", "no-such-package")
    said = capsys.readouterr().out
    assert f"openvino {found['openvino']}" in said
    assert f"pytest {pytest.__version__}" in said
    assert "no-such-package none" in said


@pytest.mark.parametrize(("busy", "said"), [(0.1, False), (1.4, True)])
def test_a_machine_that_others_use_is_told(
    busy: float, said: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "_busy_cores", lambda: busy)
    print_machine()
    assert ("others use 1.4 of the cores" in capsys.readouterr().out) is said


def test_without_git_the_commit_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert read_commit() == "unknown"
