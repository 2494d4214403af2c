"""Every environment and scenario lints, renders the same twice, and holds to what every object must."""

import subprocess

import pytest
import yaml
from rendering import CHART, ENVIRONMENTS, HELM, SCENARIOS, Document, of, render, template

FILES = [*(CHART / "environments" / f"{name}.yaml" for name in ENVIRONMENTS)]
FILES += [*(CHART / "ci" / f"{name}-values.yaml" for name in SCENARIOS)]
every = pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)


def pods(documents: list[Document]) -> list[Document]:
    predictors = [each["spec"]["predictor"] for each in of("InferenceService", documents).values()]
    deployments = [each["spec"]["template"]["spec"] for each in of("Deployment", documents).values()]
    return [*predictors, *deployments, *(each["spec"] for each in of("Pod", documents).values())]


@every
def test_it_lints(file) -> None:
    assert HELM
    command = [HELM, "lint", "--strict", str(CHART), "--values", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@every
def test_it_renders_the_same_twice(file) -> None:
    assert template(file).stdout == template(file).stdout


@every
def test_every_object_has_the_recommended_labels_and_no_version(file) -> None:
    for document in render(file):
        labels = document["metadata"]["labels"]
        assert {f"app.kubernetes.io/{name}" for name in ("name", "instance", "part-of", "managed-by")} <= set(labels)
        assert not {"helm.sh/chart", "app.kubernetes.io/version"} & set(labels)


@every
def test_every_pod_is_what_restricted_admits(file) -> None:
    for pod in pods(render(file)):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}


@every
def test_every_container_says_what_it_needs(file) -> None:
    for pod in pods(render(file)):
        for container in pod["containers"]:
            for kind in ("requests", "limits"):
                assert {"cpu", "memory"} <= set(container["resources"][kind])


@every
def test_no_name_of_an_object_is_there_twice(file) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in render(file)]
    assert len(names) == len(set(names))


@every
def test_no_object_names_its_namespace(file) -> None:
    assert [each for each in render(file) if "namespace" in each["metadata"]] == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_restates_no_default(name: str) -> None:
    chart = yaml.safe_load((CHART / "values.yaml").read_text())
    said = yaml.safe_load((CHART / "environments" / f"{name}.yaml").read_text())
    models = said.pop("models", {})
    assert same(chart, said) == []
    for model in models.values():
        assert same(overlay(chart["defaults"], said.get("defaults", {})), model) == []


def overlay(below: object, above: object) -> object:
    """Return a map with what another says laid over it."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: overlay(below.get(key), value) for key, value in above.items()}}
    return above


def same(default: object, said: object, path: str = "") -> list[str]:
    """Return where values say what the default says already."""
    if isinstance(default, dict) and isinstance(said, dict):
        return [found for key in said if key in default for found in same(default[key], said[key], f"{path}.{key}")]
    return [path] if default == said and said not in ({}, []) else []
