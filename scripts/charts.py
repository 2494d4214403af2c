"""Helm charts: where from, what images they name, and their installation."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.errors import StepError
from scripts.kind import Cluster
from scripts.programs import run

WAIT = "5m"
OLDEST_HELM = 4


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
        found = ["--repo", repository, name] if repository and not self.local else [self.source]
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
        self._upgrade(cluster, "--create-namespace", "--wait", "--timeout", WAIT)

    def apply(self, cluster: Cluster) -> None:
        """Install or upgrade it, and wait for nothing: helm does not know when an InferenceService has rolled out.

        What was made by hand of the same names becomes the release's.

        Raises:
            StepError: the chart or the cluster refuses it.
        """
        self._upgrade(cluster, "--take-ownership")

    def find(self, kind: str, cluster: Cluster) -> list[str]:
        """Return the names of what its release has of a kind, sorted."""
        place = ("--namespace", self.namespace)
        manifest = run(
            "helm", "get", "manifest", self.release, *place, *cluster.helm_flags, next_step=self._next_step()
        )
        documents = [each for each in yaml.safe_load_all(manifest) if each]
        return sorted(each["metadata"]["name"] for each in documents if each["kind"] == kind)

    def _upgrade(self, cluster: Cluster, *options: str) -> None:
        self._unlock(cluster)
        run(
            *("helm", "upgrade", "--install", *self.arguments(), *options),
            *("--server-side=true", "--force-conflicts"),
            *cluster.helm_flags,
            next_step=f"{self._next_step()}; `{cluster.kubectl_command} --namespace {self.namespace} get events` "
            "tells more",
            log=f"helm-{self.release}",
        )

    def _unlock(self, cluster: Cluster) -> None:
        """Forget what an interrupted helm has written down: it would not go on from there, and what it made stays."""
        place = ("--namespace", self.namespace)
        states = ("--pending", "--filter", f"^{self.release}$", "--output", "json")
        listed = run("helm", "list", *states, *place, *cluster.helm_flags, next_step=self._next_step())
        for each in json.loads(listed or "[]"):
            secret = f"sh.helm.release.v1.{self.release}.v{each['revision']}"
            cluster.kubectl(
                *("--namespace", self.namespace, "delete", "secret", secret, "--ignore-not-found"),
                next_step="run this again",
            )

    def _next_step(self) -> str:
        return f"is {self.source} there? versions.env names it, and a variable in the environment another"


def check_helm() -> None:
    """Refuse a helm that is too old.

    Raises:
        StepError: it is missing, or of before version 4.
    """
    version = run("helm", "version", "--template", "{{.Version}}", next_step="is it helm?").strip()
    if not version.startswith("v") or int(version[1:].partition(".")[0]) < OLDEST_HELM:
        raise StepError(f"helm is {version}, and {OLDEST_HELM} is needed", "`make tools` builds one into .tools/bin")


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
