"""What images/Dockerfile promises that can be told without building it."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "images/Dockerfile").read_text()
INSTRUCTIONS = [
    (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1])
    for line in re.sub(r"\\\n", " ", TEXT).splitlines()
    if line and not line.startswith("#")
]
DEFAULTS = dict(argument.split("=", 1) for word, argument in INSTRUCTIONS if word == "ARG" and "=" in argument)
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def stages() -> dict[str, list[tuple[str, str]]]:
    """Return each stage's instructions, those of the stage it begins with first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for word, argument in INSTRUCTIONS:
        if word == "FROM":
            parent, name = argument.split(" AS ")
            found[name] = list(found.get(parent, []))
        elif found:
            found[name].append((word, argument))
    return found


SHIPPED = ["frontend", *(name for name in stages() if name.startswith("server"))]


def pins(name: str) -> dict[str, str]:
    """Return the version of each package that a lock file has."""
    return dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==([^\s;]+)", (ROOT / f"requirements/{name}.txt").read_text(), re.M))


def test_there_is_an_image_for_cpus_and_one_for_gpus_each_with_a_bundle_and_without() -> None:
    assert SHIPPED[1:] == ["server", "server-baked", "server-gpu", "server-gpu-baked"]


def test_the_frontend_is_its_own_package_and_what_that_needs() -> None:
    instructions = stages()["frontend"]
    assert ("ENTRYPOINT", '["python", "-m", "frontend"]') in instructions
    assert ("EXPOSE", "8000") in instructions
    copied = [argument for word, argument in stages()["frontend-code"] if word == "COPY"]
    assert copied == ["frontend /opt/app/frontend", "http_connection /opt/app/http_connection", "LICENSE /opt/app/"]
    assert ("RUN", "/install/install /install/frontend.txt") in stages()["install-frontend"]


@pytest.mark.parametrize("code", ["code", "frontend-code"])
def test_code_is_compiled_as_it_would_be_another_day(code: str) -> None:
    (compiled,) = [argument for word, argument in stages()[code] if word == "RUN" and "compileall" in argument]
    assert "--invalidation-mode unchecked-hash" in compiled


@pytest.mark.parametrize("stage", SHIPPED)
def test_it_runs_as_somebody_without_privileges_by_number(stage: str) -> None:
    users = [argument for word, argument in stages()[stage] if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])


@pytest.mark.parametrize("stage", SHIPPED)
def test_its_version_is_the_projects(stage: str) -> None:
    labels = " ".join(argument for word, argument in stages()[stage] if word == "LABEL")
    assert 'image.version="${VERSION}"' in labels
    assert DEFAULTS["VERSION"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_what_is_copied_is_there_and_travels_to_the_builder() -> None:
    copied = [argument.split()[:-1] for word, argument in INSTRUCTIONS if word == "COPY" and "--from" not in argument]
    assert copied
    for source in (source for sources in copied for source in sources):
        path = re.sub(r"\$\{(\w+)\}", lambda variable: DEFAULTS[variable[1]], source)
        assert (ROOT / path).exists(), path
        assert f"!{path.partition('/')[0]}" in IGNORED


def test_it_asks_for_no_buildkit_and_names_no_address() -> None:
    assert not re.search(r"--mount|--chmod|--link|<<|# *syntax|://", TEXT)


def test_without_buildkit_too_an_image_for_cpus_never_waits_for_cuda_nor_the_frontend_for_either() -> None:
    order = list(stages())
    assert order.index("frontend") < order.index("install")
    assert order.index("server-baked") < order.index("install-gpu")


def test_what_serves_on_a_gpu_is_what_serves_on_a_cpu_and_what_builds() -> None:
    assert pins("serve").items() < pins("serve-gpu").items() < pins("build").items()
    assert {"torch", "torchvision", "safetensors"} <= pins("serve-gpu").keys() - pins("serve").keys()


def test_what_is_pruned_is_none_of_what_the_frontend_needs() -> None:
    """What is not there is passed over, but nothing that is there may go."""
    lines = (ROOT / "images/pruned.txt").read_text().splitlines()
    assert not {line.partition("#")[0].strip() for line in lines} & pins("frontend").keys()
    assert {"aiohttp", "starlette", "uvicorn"} <= pins("frontend").keys()


def test_what_is_pruned_was_installed() -> None:
    lines = (ROOT / "images/pruned.txt").read_text().splitlines()
    names = {name for line in lines if (name := line.partition("#")[0].strip())}
    assert names - pins("serve-gpu").keys() - pins("uv").keys() == {"pip"}, "pip comes with every virtual environment"
