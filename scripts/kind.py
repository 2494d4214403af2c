"""The kind cluster: its nodes, its kubeconfig of its own, its port on this machine."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from scripts.errors import StepError
from scripts.programs import run
from scripts.versions import ROOT

INGRESS_NODE_PORT = 30080
"""Where the Ingress controller listens on every node (scripts/values/traefik.yaml)."""

ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Cluster:
    """A kind cluster by its name. Everything is done with a kubeconfig and a context of its own."""

    name: str

    @property
    def kubeconfig(self) -> Path:
        """Return where its kubeconfig is: never the person's own."""
        return ROOT / "build" / "kind" / f"{self.name}.kubeconfig"

    @property
    def kubectl_command(self) -> str:
        """Return how a person calls kubectl for it."""
        return f"kubectl --kubeconfig {os.path.relpath(self.kubeconfig)}"

    @property
    def helm_flags(self) -> tuple[str, ...]:
        """Return what tells helm that it is meant."""
        return ("--kubeconfig", str(self.kubeconfig), "--kube-context", self.context)

    @property
    def discovery(self) -> Path:
        """Return where the Python client keeps what kinds the API has."""
        return self.kubeconfig.with_suffix(".discovery.json")

    @property
    def context(self) -> str:
        """Return kind's name for its context."""
        return f"kind-{self.name}"

    def exists(self) -> bool:
        """Tell whether there is one; its nodes may have been stopped."""
        listed = run("kind", "get", "clusters", next_step="is Docker running? `docker info`")
        return self.name in listed.split()

    def nodes(self) -> list[str]:
        """Return the names of its nodes, which are containers."""
        listed = run("kind", "get", "nodes", "--name", self.name, next_step="is Docker running? `docker info`")
        return listed.split()

    def create(self, image: str, nodes: int, port: int) -> None:
        """Make it.

        Args:
            image: The image of its nodes.
            nodes: How many; the first is the control plane.
            port: The port of 127.0.0.1 that leads to the Ingress controller.
        """
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        try:
            run(
                *("kind", "create", "cluster", "--name", self.name, "--image", image, "--config", "-"),
                *("--wait", "180s", "--kubeconfig", str(self.kubeconfig)),
                given=yaml.safe_dump(describe_nodes(nodes, port)),
                next_step=f"is port {port} free, and can {image} be pulled? --port takes another, KIND_NODE_IMAGE "
                "names another image",
                log="kind-create",
            )
        except KeyboardInterrupt:
            self.delete()  # one that is made by half looks as if it were there
            raise

    def start(self) -> None:
        """Start the nodes that were stopped, as Docker leaves them after a reboot, and write the kubeconfig anew."""
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        for node in self.nodes():
            run("docker", "start", node, next_step=f"scripts/cluster-down --name {self.name}, then up again")
        run(
            *("kind", "export", "kubeconfig", "--name", self.name, "--kubeconfig", str(self.kubeconfig)),
            next_step=f"scripts/cluster-down --name {self.name}, then up again",
        )

    def delete(self) -> None:
        """Remove it and its kubeconfig."""
        run(
            *("kind", "delete", "cluster", "--name", self.name, "--kubeconfig", str(self.kubeconfig)),
            next_step="is Docker running? `docker info`",
        )
        self.kubeconfig.unlink(missing_ok=True)
        self.discovery.unlink(missing_ok=True)

    def port(self) -> int:
        """Return the port of 127.0.0.1 that leads to its Ingress controller.

        Raises:
            StepError: it maps none.
        """
        described = run(
            *("docker", "inspect", "--format", "{{json .HostConfig.PortBindings}}", f"{self.name}-control-plane"),
            next_step="is Docker running? `docker info`",
        )
        bound = (json.loads(described) or {}).get(f"{INGRESS_NODE_PORT}/tcp")
        if not bound:
            raise StepError(
                f"the cluster {self.name} was not made by scripts/cluster-up: it maps no port to an Ingress controller",
                f"take another --name; or, if it may go: kind delete cluster --name {self.name}",
            )
        return int(bound[0]["HostPort"])

    def load(self, images: list[str]) -> None:
        """Copy images from Docker into every node that lacks them."""
        run(
            *("kind", "load", "docker-image", "--name", self.name, *images),
            next_step="`docker images` shows what there is; scripts/build-images builds the project's own",
            log="kind-load",
        )

    def digest(self, image: str) -> str:
        """Return the digest that its nodes know an image of Docker's by, ``sha256:…``; empty where they have none."""
        name = image if "." in image.partition("/")[0] else f"docker.io/{image}"
        listed = run(
            *("docker", "exec", f"{self.name}-control-plane"),
            *("ctr", "--namespace", "k8s.io", "images", "list", f"name=={name}"),
            next_step="scripts/load-images copies images into the nodes",
        )
        found = re.search(r"sha256:[0-9a-f]{64}", listed)
        return found[0] if found else ""

    def kubectl(self, *arguments: str, given: str | None = None, next_step: str) -> str:
        """Run kubectl against it and return what it printed."""
        flags = ("--kubeconfig", str(self.kubeconfig), "--context", self.context)
        return run("kubectl", *flags, *arguments, given=given, next_step=next_step)


def describe_nodes(nodes: int, port: int) -> dict[str, object]:
    """Return kind's configuration for that many nodes, of which the first leads to the Ingress controller."""
    mapping = {"containerPort": INGRESS_NODE_PORT, "hostPort": port, "listenAddress": ADDRESS}
    control_plane = {"role": "control-plane", "extraPortMappings": [mapping]}
    workers = [{"role": "worker"} for _ in range(nodes - 1)]
    return {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": [control_plane, *workers]}


def check_docker() -> None:
    """Refuse to begin where Docker is missing or does not answer.

    Raises:
        StepError: so it is.
    """
    host = os.environ.get("DOCKER_HOST", "its default address")
    run("docker", "info", "--format", "{{.ServerVersion}}", next_step=f"start Docker; it was asked at {host}")
