import re
from pathlib import Path

import pytest
import yaml

from scripts.components import COMPONENTS
from scripts.errors import StepError
from scripts.versions import PINS, ROOT, read_versions


def test_the_environment_wins(tmp_path: Path) -> None:
    path = tmp_path / "versions.env"
    path.write_text("# said once\n\nTRAEFIK_CHART=oci://somewhere/traefik\nPYTHON_IMAGE=python:3.13\n")
    versions = read_versions(path, {"TRAEFIK_CHART": "charts/traefik"})
    assert versions["TRAEFIK_CHART"] == "charts/traefik"
    assert versions["PYTHON_IMAGE"] == "python:3.13"
    with pytest.raises(StepError, match="no KEDA_CHART"):
        versions["KEDA_CHART"]


@pytest.mark.parametrize("line", ["TRAEFIK_CHART", "two words=3", "=3"])
def test_a_line_that_is_no_pin_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "versions.env"
    path.write_text(f"A=1\n{line}\n")
    with pytest.raises(StepError, match=r"versions\.env:2 is not NAME=value"):
        read_versions(path, {})


def test_every_pin_of_a_component_is_there_and_none_is_left_over() -> None:
    versions = read_versions(environment={})
    named = {pin for component in COMPONENTS for _, source, version, _ in component.charts for pin in (source, version)}
    named |= {component.manifest for component in COMPONENTS if component.manifest}
    named |= {"KIND_VERSION", "KIND_NODE_IMAGE", "HELM_VERSION", "PYTHON_IMAGE"}
    assert set(versions.pins) == named


def test_no_other_file_names_a_host_of_charts_or_images() -> None:
    hosts = set(re.findall(r"(?:oci|https)://([^/\s]+)", PINS.read_text())) - {"github.com"}
    files = [path for folder in ("scripts", "manifests", "images", "docs") for path in (ROOT / folder).rglob("*")]
    files += [ROOT / name for name in ("README.md", "Makefile", "CHANGELOG.md")]
    found = {
        (path.name, host)
        for path in files
        if path.is_file()
        for host in hosts
        if host in path.read_text(errors="replace")
    }
    assert found == set()


def test_the_dockerfile_has_the_same_base_image() -> None:
    dockerfile = (ROOT / "images" / "Dockerfile").read_text()
    assert f"ARG PYTHON_IMAGE={read_versions(environment={})['PYTHON_IMAGE']}\n" in dockerfile


def test_manifests_and_values_are_yaml() -> None:
    for path in [*ROOT.glob("manifests/**/*.yaml"), *ROOT.glob("scripts/values/*.yaml")]:
        assert [document for document in yaml.safe_load_all(path.read_text()) if document]
