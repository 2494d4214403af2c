"""A namespace and the models in it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.api import Api, Object, wait_for
from scripts.components import has_condition
from scripts.errors import StepError
from scripts.kind import ADDRESS, Cluster
from scripts.programs import run
from scripts.rollout import find_pods, wait_for_rollout
from scripts.versions import ROOT

CHART = ROOT / "charts" / "vision-models"
READY_SECONDS = 180
LAST_LINES = 2000
STATUSES = ("initContainerStatuses", "containerStatuses")
KINDS = "inferenceservices,deployments,replicasets,pods,services,ingresses,persistentvolumeclaims"


@dataclass(frozen=True)
class Space:
    """A namespace that enforces ``restricted``. Its routes have a host name of its own, so that none get another's."""

    cluster: Cluster
    api: Api
    name: str
    routed_at: str = ""

    @property
    def host(self) -> str:
        """Return the host name of its REST routes."""
        return self.routed_at or f"{self.name}.localhost"

    def grpc_host(self, model: str) -> str:
        """Return the host name of a model's route for gRPC."""
        return f"{model}.{self.routed_at}" if self.routed_at else f"{model}.grpc.{self.host}"

    @property
    def url(self) -> str:
        """Return where the Ingress controller is."""
        return f"http://{ADDRESS}:{self.cluster.port()}"

    def create(self) -> None:
        document = yaml.safe_load((ROOT / "manifests/platform/namespace.yaml").read_text())
        document["metadata"]["name"] = self.name
        self.apply(document)

    def delete(self) -> None:
        self.kubectl("delete", "namespace", self.name, "--wait=false")

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        flags = ("--namespace", self.name)
        return self.cluster.kubectl(*flags, *arguments, given=given, next_step="see what is kept under build/e2e")

    def apply(self, *documents: Object) -> None:
        """Apply documents as a person would, with the server's validation."""
        self.kubectl(
            *("apply", "--server-side", "--validate=strict", "--filename", "-"), given=yaml.safe_dump_all(documents)
        )

    def apply_chart(self, values: Object) -> None:
        """Apply what the chart makes of values, less what `helm test` needs."""
        command = ("template", "vision", str(CHART), "--no-hooks", "--namespace", self.name, "--values", "-")
        rendered = run("helm", *command, given=yaml.safe_dump(values), next_step="")
        self.apply(*[each for each in yaml.safe_load_all(rendered) if each])

    def get(self, version: str, kind: str, name: str) -> Object | None:
        return self.api.get(version, kind, name, self.name)

    def pods(self, model: str) -> list[Object]:
        """Return the pods of a model."""
        return find_pods(self.api, self.name, model)

    def statuses(self, model: str, container: str = "kserve-container") -> list[Object]:
        """Return how a container is, in each of a model's pods."""
        found = [pod.get("status") or {} for pod in self.pods(model)]
        each = [one for status in found for key in STATUSES for one in status.get(key) or []]
        return [one for one in each if one["name"] == container]

    def events(self, reason: str) -> list[str]:
        """Return what the events of a reason say."""
        events = self.api.list("v1", "Event", self.name)
        return [event["message"] for event in events if event["reason"] == reason]

    def wait_for_event(self, reason: str, *words: str) -> None:
        """Wait for an event that says all of it."""

        def missing() -> str | None:
            said = [message for message in self.events(reason) if all(word in message for word in words)]
            return None if said else f"no event {reason} says {words}"

        wait_for(missing, READY_SECONDS, "see what is kept under build/e2e")

    def wait_for_restarts(self, model: str, container: str) -> None:
        """Wait until a container of a model's pod has ended and begun again: it was given its chance."""

        def missing() -> str | None:
            restarts = [one["restartCount"] for one in self.statuses(model, container)]
            return None if restarts and min(restarts) > 0 else f"{container} has not ended"

        wait_for(missing, READY_SECONDS, "see what is kept under build/e2e")

    def log(self, pod: Object, *, previous: bool = False) -> str:
        """Return what a pod's server printed."""
        name = pod["metadata"]["name"]
        return self.api.log(name, self.name, "kserve-container", previous=previous, lines=LAST_LINES)

    def wait_until_ready(self, model: str) -> None:
        """Wait until a model's pods have rolled out and its InferenceService says Ready."""
        wait_for_rollout(self.api, self.name, model, READY_SECONDS)
        wait_for(lambda: self._not_ready(model), READY_SECONDS, "see what is kept under build/e2e")

    def _not_ready(self, model: str) -> str | None:
        return None if self.is_ready(model) else f"the InferenceService {model} is not Ready"

    def is_ready(self, model: str) -> bool:
        """Tell what an InferenceService says of itself."""
        service = self.get("serving.kserve.io/v1beta1", "InferenceService", model) or {}
        return has_condition(service, "Ready")

    def save(self, folder: Path) -> None:
        """Keep what a person would look at: events, what is there, its description, the logs."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "events.txt").write_text(self.kubectl("get", "events", "--sort-by=.lastTimestamp"))
        (folder / "objects.yaml").write_text(self.kubectl("get", KINDS, "--output=yaml"))
        (folder / "describe.txt").write_text(self.kubectl("describe", KINDS))
        for pod in self.api.list("v1", "Pod", self.name):
            name, spec = pod["metadata"]["name"], pod["spec"]
            for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
                for flags in ((), ("--previous",)):
                    text = self._try("logs", name, "--container", container["name"], *flags)
                    (folder / f"{name}-{container['name']}{''.join(flags)}.log").write_text(text)

    def _try(self, *arguments: str) -> str:
        try:
            return self.kubectl(*arguments)
        except StepError as error:
            return str(error)


def read_manifest(name: str, space: Space) -> list[Object]:
    """Return the documents of a file of ``manifests/``, their routes under the namespace's own host names."""
    documents = list(yaml.safe_load_all((ROOT / "manifests" / name).read_text()))
    for document in documents:
        if document["kind"] == "Ingress":
            for rule in document["spec"]["rules"]:
                told = rule.get("host")
                rule["host"] = told.replace(".localhost", f".{space.host}") if told else space.host
    return documents


def renamed(documents: list[Object], old: str, new: str) -> list[Object]:
    """Return them for a model of another name."""
    changed: list[Object] = json.loads(json.dumps(documents).replace(old, new))
    return changed


def the(kind: str, documents: list[Object]) -> Any:
    """Return the one document of a kind."""
    (found,) = [document for document in documents if document["kind"] == kind]
    return found


def container(documents: list[Object]) -> Any:
    """Return the container of their InferenceService."""
    return the("InferenceService", documents)["spec"]["predictor"]["containers"][0]
