"""Helm charts: where from, what images they name, and their installation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.kind import Cluster
from scripts.programs import run

WAIT = "5m"


@dataclass(frozen=True)
class Chart:
    """A chart and what it is installed with.

    Args:
        release: The release's name.
        source: A folder or an archive, an ``oci://`` address, or a repository's address, a space and the chart's name.
        version: Its version; a folder has its own.
        namespace: Where it goes; made when it is missing.
        values: Files of values, the last wins.
    """

    release: str
    source: str
    version: str
    namespace: str
    values: tuple[Path, ...] = ()

    @property
    def local(self) -> bool:
        """Tell whether it is on this machine."""
        return Path(self.source).exists()

    def arguments(self) -> list[str]:
        """Return what helm needs to find and fill it."""
        repository, _, name = self.source.rpartition(" ")
        found = ["--repo", repository, name] if repository else [self.source]
        pinned = [] if self.local else ["--version", self.version]
        filled = [word for path in self.values for word in ("--values", str(path))]
        return [self.release, *found, *pinned, "--namespace", self.namespace, *filled]

    def images(self) -> list[str]:
        """Return the images of every container in it, as its templates name them, sorted.

        Raises:
            StepError: the chart can't be had, or its values are wrong.
        """
        rendered = run("helm", "template", *self.arguments(), next_step=self._next_step())
        return sorted({image for document in yaml.safe_load_all(rendered) for image in find_images(document)})

    def install(self, cluster: Cluster) -> None:
        """Install or upgrade it, and wait until what it made is ready.

        Raises:
            StepError: it did not become ready.
        """
        run(
            *("helm", "upgrade", "--install", *self.arguments(), "--create-namespace", "--wait", "--timeout", WAIT),
            *("--kubeconfig", str(cluster.kubeconfig), "--kube-context", cluster.context, "--force-conflicts"),
            next_step=f"{self._next_step()}; `kubectl --namespace {self.namespace} get events` tells more",
            log=f"helm-{self.release}",
        )

    def _next_step(self) -> str:
        return f"is {self.source} there? versions.env names it, and a variable in the environment another"


def find_images(value: Any) -> Iterator[str]:
    """Return every text under a key ``image`` beside a ``name``, as containers have them, at any depth."""
    if isinstance(value, dict):
        image = value.get("image")
        if isinstance(image, str) and "name" in value:
            yield image
        for inner in value.values():
            yield from find_images(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from find_images(inner)
