"""docs/architecture.md shows the code as it is."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from frontend.settings import Settings as FrontendSettings
from model_server.settings import Settings

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "architecture.md").read_text()
PICTURE = (ROOT / "docs" / "images" / "modules.svg").read_text()
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]


def test_the_picture_is_what_would_be_drawn_now() -> None:
    draw = runpy.run_path(str(ROOT / "docs" / "modules.py"))["draw"]
    assert draw() == PICTURE, "make pictures"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_of_a_package_is_in_the_picture(package: str) -> None:
    assert f">{package}</text>" in PICTURE
    drawn = set(re.findall(r">(\w+)</text>", PICTURE.partition(f">{package}</text>")[2]))
    modules = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert modules | packages <= drawn


def test_the_ports_are_those_that_the_servers_listen_on() -> None:
    settings = Settings()
    assert f"HTTP :{settings.http_port}, gRPC :{settings.grpc_port}" in GUIDE
    assert f"metrics :{settings.metrics_port}" in GUIDE
    assert f"the page :{FrontendSettings().port}" in GUIDE


def test_what_the_chart_is_said_to_make_is_in_its_templates() -> None:
    templates = "".join(path.read_text() for path in (ROOT / "charts/vision-models/templates").glob("*.yaml"))
    kinds = set(re.findall(r"^kind: (\w+)$", templates, re.MULTILINE))
    rows = re.findall(r"^\| (.+?) \| the chart.*? \|", GUIDE, re.MULTILINE)
    told = set(re.findall(r"\b[A-Z][A-Za-z]+[a-z]\b", " ".join(rows)))
    assert told >= {"InferenceService", "Ingress", "HTTPRoute", "ScaledObject", "ConfigMap"}
    assert told <= kinds
