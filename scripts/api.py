"""The cluster's API through the Python client: what is read, and what is waited for."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from kubernetes import dynamic
from kubernetes.client import ApiClient, ApiException, Configuration, CoreV1Api
from kubernetes.config import load_kube_config
from kubernetes.dynamic.exceptions import NotFoundError, ResourceNotFoundError
from urllib3.exceptions import HTTPError

from scripts.errors import NotAnsweringError, StepError
from scripts.kind import Cluster

POLL_SECONDS = 1.0
Object = dict[str, Any]
"""An object of the API as JSON has it."""


class Api:
    """What a cluster holds."""

    def __init__(self, cluster: Cluster) -> None:
        """Read the cluster's kubeconfig.

        Raises:
            StepError: there is none.
            NotAnsweringError: nothing answers.
        """
        if not cluster.kubeconfig.is_file():
            raise StepError(f"there is no cluster {cluster.name}", f"scripts/cluster-up --name {cluster.name}")
        self.cluster = cluster
        configuration = Configuration()
        load_kube_config(str(cluster.kubeconfig), context=cluster.context, client_configuration=configuration)
        configuration.proxy = None  # kind's API is on this machine, whatever HTTPS_PROXY says
        try:
            self._client = dynamic.DynamicClient(ApiClient(configuration), cache_file=str(cluster.discovery))
        except (ApiException, HTTPError) as error:
            raise NotAnsweringError(
                f"the API server of {cluster.name} does not answer: {error}",
                f"scripts/cluster-up --name {cluster.name} starts it again",
            ) from error

    def get(self, version: str, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object, or None where there is none or no such kind."""
        try:
            found = self._client.resources.get(api_version=version, kind=kind).get(name=name, namespace=namespace)
        except (NotFoundError, ResourceNotFoundError):
            return None
        return dict(found.to_dict())

    def list(self, version: str, kind: str, namespace: str | None = None, selector: str | None = None) -> list[Object]:
        """Return all objects of a kind; of a kind that the cluster does not know, none."""
        try:
            resource = self._client.resources.get(api_version=version, kind=kind)
        except ResourceNotFoundError:
            return []
        return list(resource.get(namespace=namespace, label_selector=selector).to_dict()["items"])

    def log(self, pod: str, namespace: str, container: str, *, previous: bool, lines: int) -> str:
        """Return the last lines that a container printed, or that the one before it did."""
        try:
            answer = CoreV1Api(self._client.client).read_namespaced_pod_log(
                *(pod, namespace),
                container=container,
                previous=previous,
                tail_lines=lines,
                _preload_content=False,
            )
        except ApiException:
            return ""
        return str(answer.data.decode(errors="replace"))


def wait_for(what: Callable[[], str | None], seconds: float, next_step: str) -> None:
    """Poll until ``what`` returns None; until then it says what is missing.

    Raises:
        StepError: the time is over; with what is still missing.
    """
    deadline = time.monotonic() + seconds
    for missing in _repeat(what):
        if missing is None:
            return
        if time.monotonic() > deadline:
            raise StepError(f"after {seconds:.0f} s: {missing}", next_step)


def _repeat(what: Callable[[], str | None]) -> Iterator[str | None]:
    while True:
        try:
            yield what()
        except (ApiException, HTTPError, NotAnsweringError) as error:
            yield f"the API server does not answer: {error}"
        time.sleep(POLL_SECONDS)
