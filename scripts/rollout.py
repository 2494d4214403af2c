"""Waiting for a Deployment, a model's or the frontend's, and telling early why it will not come."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from kubernetes.utils.quantity import parse_quantity

from scripts.api import Api, Object, wait_for
from scripts.errors import StepError

SERVICE = ("serving.kserve.io/v1beta1", "InferenceService")
CONTAINER = "kserve-container"
AUTOSCALER = "serving.kserve.io/autoscalerClass"
OF_KSERVE = (
    "minReplicas",
    "maxReplicas",
    "deploymentStrategy",
    "labels",
    "annotations",
    "timeout",
    "logger",
    "batcher",
)
"""Of a predictor, what is no pod's."""
KEPT_BACK = ("kubectl.kubernetes.io/", "autoscaling.knative.dev/", "internal.serving.kserve.io/", "modelFormat")
"""Annotations that KServe does not copy to the pods (its pkg/constants)."""
REVISION = "deployment.kubernetes.io/revision"
ROLLOUT_SECONDS = 300
PATIENCE_SECONDS = 20
"""How long a pod may say that it can't be: one failed pull, or a back-off of before, may pass."""
LAST_LINES = 8
IMAGE_TROUBLE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
GIVE_UP_RESTARTS = 2


@dataclass(frozen=True)
class Trouble:
    """What keeps a pod from becoming ready: a container, what of it, and whether its image is missing."""

    container: str
    text: str
    no_image: bool = False


def wait_for_rollout(api: Api, namespace: str, name: str, seconds: float = ROLLOUT_SECONDS) -> None:
    """Wait until every pod of an InferenceService is one of its newest, and ready.

    An InferenceService's own Ready says yes while the pods of before still answer, and its Deployment while KServe has
    not looked yet: both are held against what the InferenceService asks for.

    Raises:
        StepError: it did not roll out; with what its pods say.
    """
    selector = select_pods(name)
    _end_troubled(api, namespace, selector)
    give_up = _Patience(api, namespace, name, selector)
    wait_for(
        lambda: _missing(api, namespace, name, give_up.look),
        seconds,
        f"{api.cluster.kubectl_command} --namespace {namespace} describe inferenceservice {name}",
    )


def wait_for_deployment(api: Api, namespace: str, name: str, seconds: float = ROLLOUT_SECONDS) -> None:
    """Wait until every pod of a Deployment of the chart's own is one of its newest, and ready.

    Raises:
        StepError: there is none, or it did not roll out; with what its pods say.
    """
    next_step = f"{api.cluster.kubectl_command} --namespace {namespace} describe deployment {name}"
    found = api.get("apps/v1", "Deployment", name, namespace)
    if found is None:
        raise StepError(f"there is no Deployment {name}", next_step)
    selector = select_pods_of(found)
    _end_troubled(api, namespace, selector)
    give_up = _Patience(api, namespace, name, selector)

    def missing() -> str | None:
        found = api.get("apps/v1", "Deployment", name, namespace)
        waiting = describe_rollout(found) if found else f"there is no Deployment {name}"
        return f"{waiting}{give_up.look()}" if waiting else None

    wait_for(missing, seconds, next_step)


def _end_troubled(api: Api, namespace: str, selector: str) -> None:
    for pod in api.list("v1", "Pod", namespace, selector):
        if describe_trouble(pod):  # it may be in a back-off of minutes; another begins at once
            api.cluster.kubectl(
                *("--namespace", namespace, "delete", "pod", pod["metadata"]["name"], "--ignore-not-found"),
                next_step="run this again",
            )


def _missing(api: Api, namespace: str, name: str, look: Callable[[], str]) -> str | None:
    service = api.get(*SERVICE, name, namespace)
    if service is None:
        return f"there is no InferenceService {name}"
    found = api.get("apps/v1", "Deployment", f"{name}-predictor", namespace)
    if found is None:
        return f"KServe has made no Deployment for {name}{_told(service)}"
    if not follows(found, service):
        return f"KServe has not brought {name}'s newest form to its Deployment{_told(service)}"
    waiting = describe_rollout(found)
    return f"{waiting}{look()}" if waiting else None


def follows(deployment: Object, service: Object) -> bool:
    """Tell whether a Deployment is what an InferenceService asks for: its pods, their labels, how many."""
    template, predictor = deployment["spec"]["template"], service["spec"]["predictor"]
    asked, made = service["metadata"], template.get("metadata") or {}
    annotations = {
        key: value for key, value in (asked.get("annotations") or {}).items() if not key.startswith(KEPT_BACK)
    }
    pod = {key: value for key, value in predictor.items() if key not in OF_KSERVE}
    fixed = annotations.get(AUTOSCALER) == "none" and "minReplicas" in predictor
    return (
        holds(template["spec"], pod)
        and holds(made.get("labels") or {}, asked.get("labels") or {})
        and holds(made.get("annotations") or {}, annotations)
        and holds(deployment["spec"].get("strategy") or {}, predictor.get("deploymentStrategy") or {})
        and (not fixed or deployment["spec"].get("replicas") == predictor["minReplicas"])
    )


def holds(found: object, asked: object) -> bool:
    """Tell whether everything that is asked for is found, at any depth; amounts may be written another way."""
    if isinstance(asked, dict):
        return isinstance(found, dict) and all(holds(found.get(key), value) for key, value in asked.items())
    if isinstance(asked, list):
        if not isinstance(found, list):
            return False
        if all(isinstance(each, dict) and "name" in each for each in asked):
            named = {each.get("name"): each for each in found}  # KServe adds a variable of its own
            return all(holds(named.get(each["name"]), each) for each in asked)
        return len(found) == len(asked) and all(map(holds, found, asked))
    if found == asked:
        return True
    try:
        return bool(parse_quantity(found) == parse_quantity(asked))
    except (ValueError, TypeError):
        return False


def describe_rollout(deployment: Object) -> str | None:
    """Return what a Deployment still waits for, as ``kubectl rollout status`` would; None when it is done."""
    name, wanted = deployment["metadata"]["name"], deployment["spec"].get("replicas", 1)
    status = deployment.get("status") or {}
    if (status.get("observedGeneration") or 0) < deployment["metadata"]["generation"]:
        return f"{name}: its newest form has not been seen yet"
    updated, total = status.get("updatedReplicas") or 0, status.get("replicas") or 0
    available = status.get("availableReplicas") or 0
    if updated < wanted:
        return f"{name}: {updated} of {wanted} new pods are there"
    if total > updated:
        return f"{name}: {total - updated} old pods are still there"
    if available < updated:
        return f"{name}: {available} of {updated} pods are ready"
    return None


def select_pods(name: str) -> str:
    """Return what KServe labels the pods of an InferenceService with."""
    return f"app=isvc.{name}-predictor"


def select_pods_of(deployment: Object) -> str:
    """Return what a Deployment knows its pods by."""
    return ",".join(f"{key}={value}" for key, value in deployment["spec"]["selector"]["matchLabels"].items())


def find_pods(api: Api, namespace: str, name: str) -> list[Object]:
    """Return the pods of an InferenceService."""
    return api.list("v1", "Pod", namespace, select_pods(name))


def find_newest_pods(api: Api, namespace: str, selector: str) -> list[Object]:
    """Return the pods of a Deployment's newest form: what is wrong with the ones of before is over."""
    sets = api.list("apps/v1", "ReplicaSet", namespace, selector)
    newest = max(sets, key=lambda each: int(each["metadata"]["annotations"][REVISION]), default=None)
    if newest is None:
        return []
    uid = newest["metadata"]["uid"]
    pods = api.list("v1", "Pod", namespace, selector)
    return [pod for pod in pods if uid in [owner["uid"] for owner in pod["metadata"].get("ownerReferences") or []]]


def describe_trouble(pod: Object) -> Trouble | None:
    """Return what keeps a pod from ever becoming ready, if its containers tell."""
    status = pod.get("status") or {}
    for each in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (each.get("state") or {}).get("waiting") or {}
        reason, name = waiting.get("reason"), each["name"]
        if reason in IMAGE_TROUBLE:
            return Trouble(name, f"the image {each['image']} can't be had ({reason})", no_image=True)
        if reason == "CrashLoopBackOff" and each.get("restartCount", 0) >= GIVE_UP_RESTARTS:
            return Trouble(name, f"its container {name} ends again and again")
    return None


def describe_unscheduled(pod: Object) -> str:
    """Return why no node takes a pod, as the scheduler says it."""
    for each in (pod.get("status") or {}).get("conditions") or []:
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return f"; no node takes {pod['metadata']['name']}: {each.get('message')}"
    return ""


class _Patience:
    """Looks at the pods of a Deployment, and gives up on one that is in trouble for too long."""

    def __init__(self, api: Api, namespace: str, name: str, selector: str) -> None:
        self._api, self._namespace, self._name, self._selector = api, namespace, name, selector
        self._since: dict[str, float] = {}

    def look(self) -> str:
        """Return what the scheduler says of pods that wait for a node.

        Raises:
            StepError: a pod will not become ready.
        """
        said, since = "", {}
        for pod in find_newest_pods(self._api, self._namespace, self._selector):
            name, trouble = pod["metadata"]["name"], describe_trouble(pod)
            if trouble is None:
                said += describe_unscheduled(pod)
                continue
            since[name] = self._since.get(name, time.monotonic())
            if time.monotonic() - since[name] > PATIENCE_SECONDS:
                self._give_up(name, trouble)
        self._since = since
        return said

    def _give_up(self, pod: str, trouble: Trouble) -> None:
        kubectl = f"{self._api.cluster.kubectl_command} --namespace {self._namespace}"
        if trouble.no_image:
            next_step = "scripts/build-images, then scripts/load-images; or name an image that the nodes can pull"
            raise StepError(f"{self._name} will not become ready: {trouble.text}", next_step)
        last = self._api.log(pod, self._namespace, trouble.container, previous=True, lines=LAST_LINES).strip()
        raise StepError(
            f"{self._name} will not become ready: {trouble.text}" + (f"; it said:\n{last}" if last else ""),
            f"{kubectl} describe pod {pod}",
        )


def _told(service: Object) -> str:
    conditions = (service.get("status") or {}).get("conditions") or []
    messages = [each["message"] for each in conditions if each.get("message")]
    return f": {messages[0]}" if messages else ""
