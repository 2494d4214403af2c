"""The chart, rendered by helm."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "vision-models"
ENVIRONMENTS = sorted(path.stem for path in (CHART / "environments").glob("*.yaml"))
SCENARIOS = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))
HELM = shutil.which("helm") or shutil.which("helm", path=str(ROOT / ".tools" / "bin"))
NAMESPACE = "shop"

Values = dict[str, Any]
Document = dict[str, Any]
BAKED: Values = {"bundle": {"baked": True}}


def template(
    *files: Path, values: Values | None = None, chart: Path = CHART, release: str = "vision"
) -> subprocess.CompletedProcess[str]:
    """Run ``helm template`` with files of values, and then values on standard input."""
    assert HELM
    command = [HELM, "template", release, str(chart), "--namespace", NAMESPACE, "--kube-version", "1.34.0"]
    flags = [word for file in files for word in ("--values", str(file))]
    given = json.dumps(values or {})  # which is YAML too, and quotes a model called y
    return subprocess.run(
        [*command, *flags, "--values", "-"], input=given, capture_output=True, text=True, check=False, timeout=60
    )


def render(*files: Path, values: Values | None = None, chart: Path = CHART, release: str = "vision") -> list[Document]:
    """Return what the chart makes of them."""
    done = template(*files, values=values, chart=chart, release=release)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def render_model(said: Values, **others: Any) -> list[Document]:
    """Return what it makes of one model called ``cats``, baked into its image unless it says otherwise, and no page."""
    return render(values={"models": {"cats": {**BAKED, **said}}, "frontend": {"enabled": False}, **others})


def refuse(values: Values) -> str:
    """Return what it says to values that it refuses."""
    done = template(values=values)
    assert done.returncode != 0, "it took them"
    return done.stderr


def of(kind: str, documents: list[Document]) -> dict[str, Document]:
    """Return the documents of a kind, by name."""
    return {each["metadata"]["name"]: each for each in documents if each["kind"] == kind}


def one(kind: str, documents: list[Document]) -> Document:
    """Return the one document of a kind."""
    (found,) = of(kind, documents).values()
    return found


def predictor(documents: list[Document]) -> Document:
    """Return the predictor of the one InferenceService."""
    return dict(one("InferenceService", documents)["spec"]["predictor"])


def container(documents: list[Document]) -> Document:
    """Return its container."""
    (found,) = predictor(documents)["containers"]
    return dict(found)
