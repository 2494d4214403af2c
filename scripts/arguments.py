"""Options that several scripts take."""

import argparse
import re

from scripts.errors import StepError
from scripts.kind import Cluster

NAME = "vision"
NAMESPACE = "vision"


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add ``--name``, the cluster's."""
    parser.add_argument("--name", default=NAME, metavar="CLUSTER", help="the kind cluster (default: %(default)s)")


def add_namespace(parser: argparse.ArgumentParser) -> None:
    """Add ``--namespace``, where the models are."""
    parser.add_argument(
        "--namespace", default=NAMESPACE, metavar="NAME", help="where the models are (default: %(default)s)"
    )


def take_cluster(options: argparse.Namespace) -> Cluster:
    """Return the cluster that is meant.

    Raises:
        StepError: kind would refuse its name.
    """
    if not re.fullmatch(r"[a-z0-9.-]{1,50}", options.name):
        raise StepError(f"--name {options.name!r} is no cluster's name", "use a-z, 0-9, '-' and '.', 50 at most")
    return Cluster(options.name)


def split_pair(text: str, option: str, example: str) -> tuple[str, str]:
    """Split ``NAME=PATH``.

    Raises:
        StepError: one of the two is missing.
    """
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise StepError(f"{option} {text!r} is not NAME=PATH", f"for example: {option} {example}")
    return name, value
