"""What GitHub runs can't be run here. What can be told without it: nothing in it moves, nothing is allowed in vain."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.components import COMPONENTS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
TARGETS = set(re.findall(r"^([\w./-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
STAGES = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "images" / "Dockerfile").read_text(), re.MULTILINE))
SCRIPTS = {path.name for path in (ROOT / "scripts").iterdir() if path.name == "run" or path.is_symlink()}
OPTIONS = {"scripts/cluster": ("--nodes", "--with")}


def read(path: Path) -> dict[str, Any]:
    return {"on" if key is True else key: value for key, value in yaml.safe_load(path.read_text()).items()}


def jobs() -> list[Any]:
    return [
        pytest.param(path, job, id=f"{path.stem}-{name}")
        for path in WORKFLOWS
        for name, job in read(path)["jobs"].items()
    ]


def commands() -> list[str]:
    """Return every line that a step runs."""
    return [
        line.strip()
        for path in WORKFLOWS
        for job in read(path)["jobs"].values()
        for step in job["steps"]
        for line in step.get("run", "").splitlines()
    ]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_digest_and_says_its_version(path: Path) -> None:
    used = [line for line in path.read_text().splitlines() if re.search(r"\buses:", line)]
    assert used
    for line in used:
        assert re.search(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_an_action_has_one_digest_everywhere() -> None:
    pinned = {use for path in WORKFLOWS for use in re.findall(r"uses: (\S+@\S+)", path.read_text())}
    assert len(pinned) == len({use.partition("@")[0] for use in pinned})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_allowed_but_by_a_job_and_a_newer_push_ends_an_older_run(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    assert "pull_request_target" not in workflow["on"]
    assert "workflow_run" not in workflow["on"]


@pytest.mark.parametrize(("path", "job"), jobs())
def test_a_job_says_what_it_may_and_how_long(path: Path, job: dict[str, Any]) -> None:
    assert 0 < job["timeout-minutes"] <= 90
    assert job["permissions"]["contents"] == "read"
    writes = {name for name, level in job["permissions"].items() if level != "read"}
    assert writes <= {"packages"}
    if writes or "secrets." in str(job):  # neither is for a pull request
        assert job["if"] == "github.ref_type == 'tag'"


@pytest.mark.parametrize(("path", "job"), jobs())
def test_no_step_keeps_the_token_or_builds_a_command_of_what_others_wrote(path: Path, job: dict[str, Any]) -> None:
    for step in job["steps"]:
        assert "${{" not in step.get("run", "")
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_what_is_made_is_there_to_be_made() -> None:
    made = [word for line in commands() if line.startswith("make ") for word in line.split()[1:]]
    assert {"test", "e2e", "tools"} <= set(made) <= TARGETS


def test_the_scripts_that_are_called_are_there_and_take_these_options() -> None:
    called = [line.split() for line in commands() if line.startswith("scripts/")]
    assert [words[0] for words in called] == ["scripts/cluster"]
    for script, *words in called:
        assert script.partition("/")[2] in SCRIPTS
        assert {word for word in words if word.startswith("-")} <= set(OPTIONS[script])
    optional = {component.name for component in COMPONENTS if component.optional}
    (more,) = [words[words.index("--with") + 1] for words in called]
    assert set(more.split(",")) <= optional


def test_the_images_that_are_built_are_stages_and_what_is_pushed_has_an_sbom_and_its_provenance() -> None:
    images = read(ROOT / ".github" / "workflows" / "images.yaml")["jobs"]
    for job in images.values():
        assert set(job["strategy"]["matrix"]["target"]) <= STAGES
        builds = [step["with"] for step in job["steps"] if "build-push-action" in step.get("uses", "")]
        assert builds
        for build in builds:
            assert (ROOT / build["file"]).is_file()
            if build.get("push"):
                assert build["sbom"] is True
                assert build["provenance"] == "mode=max"
    assert [name for name, job in images.items() if "'push': True" in str(job)] == ["push"]


def test_no_host_of_a_registry_stands_in_them() -> None:
    for path in WORKFLOWS:
        assert not re.search(r"\b(ghcr\.io|docker\.io|quay\.io|pypi\.org|\w+\.pkg\.dev)\b|https?://", path.read_text())
