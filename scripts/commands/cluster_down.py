"""Remove the kind cluster and everything in it; images stay in Docker."""

import argparse

from scripts.arguments import add_cluster, take_cluster
from scripts.console import progress, say
from scripts.kind import check_docker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this step's options."""
    add_cluster(parser)


def run(options: argparse.Namespace) -> None:
    """Take this step.

    Raises:
        StepError: the cluster of that name is not one of scripts/cluster-up.
    """
    cluster = take_cluster(options)
    check_docker()
    if not cluster.exists():
        cluster.kubeconfig.unlink(missing_ok=True)
        say(f"  there is no cluster {cluster.name}: nothing to do")
        return
    cluster.port()  # it is ours
    with progress(f"removing the cluster {cluster.name}"):
        cluster.delete()
