"""Make the kind cluster, or start the one that is there."""

import argparse

from scripts.api import Api, wait_for
from scripts.arguments import add_cluster, take_cluster
from scripts.components import has_condition
from scripts.console import progress, say
from scripts.errors import StepError
from scripts.kind import ADDRESS, Cluster, check_docker
from scripts.versions import read_versions

NODES, PORT, MOST_NODES = 1, 8088, 9
READY_SECONDS = 180


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this step's options."""
    add_cluster(parser)
    parser.add_argument("--nodes", type=int, help=f"the control plane is the first (default: {NODES})")
    parser.add_argument("--port", type=int, help=f"of {ADDRESS}, for the Ingress controller (default: {PORT})")


def run(options: argparse.Namespace) -> None:
    """Take this step.

    Raises:
        StepError: there is another cluster of that name, or it did not start.
    """
    cluster = take_cluster(options)
    if options.nodes is not None and not 1 <= options.nodes <= MOST_NODES:
        raise StepError(f"--nodes {options.nodes} is not 1 to {MOST_NODES}", "one node will do for a model or two")
    if options.port is not None and not 1 <= options.port <= 65535:
        raise StepError(f"--port {options.port} is not 1 to 65535", f"leave it out for {PORT}")
    check_docker()
    if cluster.exists():
        _check_same(cluster, options)
        with progress(f"starting the cluster {cluster.name}, which is there"):
            cluster.start()
            _wait_for_nodes(cluster)
    else:
        image = read_versions()["KIND_NODE_IMAGE"]
        with progress(f"making the cluster {cluster.name} of {image.partition('@')[0]}"):
            cluster.create(image, options.nodes or NODES, options.port or PORT)
            _wait_for_nodes(cluster)
    say(f"  {cluster.context}: {len(cluster.nodes())} node(s); its Ingress on http://{ADDRESS}:{cluster.port()}")
    say(f"  for kubectl: export KUBECONFIG={cluster.kubeconfig}")


def _check_same(cluster: Cluster, options: argparse.Namespace) -> None:
    next_step = f"leave the option out, or make it anew: scripts/cluster-down --name {cluster.name}"
    there, port = len(cluster.nodes()), cluster.port()
    if options.nodes not in (None, there):
        raise StepError(f"the cluster {cluster.name} has {there} node(s), not {options.nodes}", next_step)
    if options.port not in (None, port):
        raise StepError(f"the cluster {cluster.name} has its Ingress on port {port}, not {options.port}", next_step)


def _wait_for_nodes(cluster: Cluster) -> None:
    def missing() -> str | None:
        nodes = Api(cluster).list("v1", "Node")
        waited = [node["metadata"]["name"] for node in nodes if not has_condition(node, "Ready")]
        return f"not ready: {', '.join(waited) or 'any node'}" if waited or not nodes else None

    wait_for(missing, READY_SECONDS, f"scripts/cluster-down --name {cluster.name}, then up again")
