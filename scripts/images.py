"""Images in the local Docker."""

import shlex
import shutil
from pathlib import Path

from scripts.errors import StepError
from scripts.programs import run
from scripts.versions import ROOT, Versions

REPOSITORY = "kserve-vision"
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


def project_images() -> list[str]:
    """Return the project's own images that Docker has, sorted."""
    return sorted(image for image in _list("--filter", f"reference={REPOSITORY}/*") if not image.endswith(":<none>"))


def _list(*options: str) -> list[str]:
    command = ("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", *options)
    return run(*command, next_step="is Docker running? `docker info`").split()


def build(stage: str, image: str, versions: Versions, arguments: dict[str, str]) -> None:
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


def within_context(path: Path) -> str:
    """Return a bundle's path as the Dockerfile needs it, copying it into the build context if it lies outside.

    Raises:
        StepError: it is no bundle.
    """
    if not (path / MANIFEST).is_file():
        raise StepError(f"{path} is no bundle: it has no {MANIFEST}", "give the folder that vision-builder wrote")
    resolved = path.resolve()
    if not resolved.is_relative_to(ROOT / "models"):
        copied = COPIED / resolved.name
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(resolved, copied)
        resolved = copied
    return str(resolved.relative_to(ROOT))
