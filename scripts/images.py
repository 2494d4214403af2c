"""Images in the local Docker."""

import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.errors import StepError
from scripts.programs import run
from scripts.versions import ROOT, Versions

REPOSITORY = "kserve-vision"
TAG = "dev"
"""What manifests/ and the chart's environments for kind name."""

DOCKERFILE = ROOT / "images" / "Dockerfile"
COPIED = ROOT / "images" / "copied"
"""What the build context needs of elsewhere: bundles, certificates. Nothing of it is committed."""
MANIFEST = "model.yaml"


def name_image(name: str, tag: str) -> str:
    """Return ``kserve-vision/NAME:TAG``."""
    return f"{REPOSITORY}/{name}:{tag}"


def present(images: list[str]) -> list[str]:
    """Return those of them that Docker has."""
    there = set(_list())
    return [image for image in images if plain_name(image) in there]


def plain_name(image: str) -> str:
    """Return an image's name as ``docker images`` shows it: without Docker's own host, with a tag."""
    name = image.removeprefix("docker.io/").removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def project_images(tag: str) -> list[str]:
    """Return the project's own images of a tag that Docker has, sorted; those for GPUs are large, and left out."""
    found = _list("--filter", f"reference={REPOSITORY}/*:{tag}")
    return sorted(image for image in found if not image.endswith(f"-gpu:{tag}"))


def _list(*options: str) -> list[str]:
    command = ("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", *options)
    return run(*command, next_step="is Docker running? `docker info`").split()


def build(stage: str, image: str, versions: Versions, arguments: Mapping[str, str]) -> None:
    """Build a stage of ``images/Dockerfile``.

    Args:
        stage: Its name.
        image: The image's name and tag.
        versions: The base image comes from it.
        arguments: Build arguments beside that; empty ones are left out.

    Raises:
        StepError: Docker could not build it.
    """
    values = {"PYTHON_IMAGE": versions["PYTHON_IMAGE"], **{name: value for name, value in arguments.items() if value}}
    built = [word for name, value in values.items() for word in ("--build-arg", f"{name}={value}")]
    options = shlex.split(versions.environment.get("DOCKER_BUILD_OPTIONS", ""))
    run(
        *("docker", "build", "--file", str(DOCKERFILE), "--target", stage, "--tag", image, *built, *options, str(ROOT)),
        next_step="can the base image and the package index be reached? docs/images.md has the arguments for closed "
        "networks, and DOCKER_BUILD_OPTIONS is handed to docker build",
        log=f"build-{image.rpartition('/')[2].replace(':', '-')}",
    )


def revision() -> str:
    """Return the commit that is built, or nothing where git does not know."""
    try:
        return run("git", "-C", str(ROOT), "rev-parse", "HEAD", next_step="").strip()
    except StepError:
        return ""


def check_bundle(path: Path) -> None:
    """Refuse a folder that is no bundle.

    Raises:
        StepError: it has no manifest.
    """
    if not (path / MANIFEST).is_file():
        raise StepError(f"{path} is no bundle: it has no {MANIFEST}", "give the folder that vision-builder wrote")


@contextmanager
def within_context(path: Path, name: str) -> Iterator[str]:
    """Lend a file's or folder's path as the Dockerfile needs it; it is copied into the build context meanwhile."""
    if path.resolve().is_relative_to(ROOT / "models"):
        yield str(path.resolve().relative_to(ROOT))
        return
    copied = COPIED / name
    shutil.rmtree(copied, ignore_errors=True)
    copied.parent.mkdir(parents=True, exist_ok=True)
    try:
        if path.is_dir():
            shutil.copytree(path, copied)
        else:
            shutil.copyfile(path, copied)
        yield str(copied.relative_to(ROOT))
    finally:
        if copied.is_dir():
            shutil.rmtree(copied)
        else:
            copied.unlink(missing_ok=True)
