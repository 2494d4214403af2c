"""Copy the project's images from Docker into the cluster's nodes."""

import argparse

from scripts.arguments import add_cluster, take_cluster
from scripts.console import progress
from scripts.errors import StepError
from scripts.images import present, project_images
from scripts.kind import check_docker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this step's options."""
    add_cluster(parser)
    parser.add_argument(
        "--image",
        action="append",
        metavar="NAME:TAG",
        help="an image of Docker's; may be repeated (default: all kserve-vision/* but server-gpu)",
    )


def run(options: argparse.Namespace) -> None:
    """Take this step.

    Raises:
        StepError: Docker has not got them, or there is no such cluster.
    """
    cluster = take_cluster(options)
    check_docker()
    if not cluster.exists():
        raise StepError(f"there is no cluster {cluster.name}", f"scripts/cluster-up --name {cluster.name}")
    images = options.image or [name for name in project_images() if "/server-gpu:" not in name]
    if missing := sorted(set(images) - set(present(images))):
        raise StepError(f"Docker has no {', '.join(missing)}", "scripts/build-images, or docker pull")
    if not images:
        raise StepError("Docker has none of the project's images", "scripts/build-images")
    with progress(f"{len(images)} image(s): {', '.join(images)}"):
        cluster.load(images)
