"""All of it: a kind cluster, the platform, the images, the models of the environment kind, and their labels."""

import argparse

from scripts.arguments import NAMESPACE
from scripts.commands import build_images, cluster_up, deploy, install_platform, load_images, smoke
from scripts.commands.deploy import DEFAULT
from scripts.console import say
from scripts.images import TAG
from scripts.rollout import ROLLOUT_SECONDS

STEPS = (cluster_up, install_platform, build_images, load_images, deploy, smoke)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of what takes long; models of one's own come after, by deploy."""
    cluster_up.add_arguments(parser)
    install_platform.add_arguments(parser)
    build_images.add_network(parser)
    parser.set_defaults(
        tag=TAG, bundle=None, gpu=False, image=None, environment=DEFAULT, namespace=NAMESPACE, timeout=ROLLOUT_SECONDS
    )


def run(options: argparse.Namespace) -> None:
    """Take every step; each takes up where the one before was left.

    Raises:
        StepError: one can't be taken.
    """
    for number, step in enumerate(STEPS, 1):
        name = step.__name__.rpartition(".")[2].replace("_", "-")
        say(f"[{number}/{len(STEPS)}] {name}")
        step.run(options)
