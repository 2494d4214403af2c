"""The house rules that no linter has."""

import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("benchmarks", "frontend", "http_connection", "model_server", "model_builder", "scripts")
MODULES = sorted(path for package in PACKAGES for path in ROOT.glob(f"{package}/**/*.py"))


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.mark.parametrize(
    "path", [*MODULES, *sorted(ROOT.glob("tests/**/*.py"))], ids=lambda p: str(p.relative_to(ROOT))
)
def test_no_file_is_over_300_lines(path: Path) -> None:
    assert lines(path) <= 300


def test_the_median_module_is_at_most_120_lines() -> None:
    assert statistics.median(lines(path) for path in MODULES) <= 120


def test_the_server_is_installed_without_torch() -> None:
    names = {line.partition("==")[0] for line in (ROOT / "requirements/serve.txt").read_text().splitlines()}
    assert "kserve" in names
    assert not names & {"torch", "torchvision", "nncf", "scikit-learn"}


def test_every_requirement_is_pinned_by_hash_and_names_no_address() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert text.count("==") <= text.count("--hash=sha256:")
        assert "://" not in text
        assert "--index" not in text
