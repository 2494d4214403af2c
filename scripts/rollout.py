"""Waiting for a model's Deployment, and telling early why it will not come."""

from scripts.api import Api, Object, wait_for
from scripts.errors import StepError

ROLLOUT_SECONDS = 300
LAST_LINES = 8
CONTAINER = "kserve-container"
IMAGE_TROUBLE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
GIVE_UP_RESTARTS = 2


def wait_for_rollout(api: Api, namespace: str, name: str, seconds: float = ROLLOUT_SECONDS) -> None:
    """Wait until every pod of an InferenceService is one of its newest, and ready.

    An InferenceService's own Ready says yes while the pods of before still answer, so its Deployment is looked at.

    Raises:
        StepError: it did not roll out; with what its pods say.
    """

    def missing() -> str | None:
        service = api.get("serving.kserve.io/v1beta1", "InferenceService", name, namespace)
        if service is None:
            return f"there is no InferenceService {name}"
        found = api.get("apps/v1", "Deployment", f"{name}-predictor", namespace)
        if found is None:
            return f"KServe has made no Deployment for {name}{_told(service)}"
        waiting = describe_rollout(found)
        return f"{waiting}{_look_at_pods(api, namespace, name)}" if waiting else None

    wait_for(missing, seconds, f"kubectl --namespace {namespace} describe inferenceservice {name}")


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


def describe_trouble(pod: Object) -> str | None:
    """Return what keeps a pod from ever becoming ready, if its containers tell."""
    status = pod.get("status") or {}
    for each in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (each.get("state") or {}).get("waiting") or {}
        reason = waiting.get("reason")
        if reason in IMAGE_TROUBLE:
            return f"the image {each['image']} can't be had ({reason})"
        if reason == "CrashLoopBackOff" and each.get("restartCount", 0) >= GIVE_UP_RESTARTS:
            return f"its container {each['name']} ends again and again"
    return None


def describe_unscheduled(pod: Object) -> str:
    """Return why no node takes a pod, as the scheduler says it."""
    for each in (pod.get("status") or {}).get("conditions") or []:
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return f"; no node takes {pod['metadata']['name']}: {each.get('message')}"
    return ""


def _look_at_pods(api: Api, namespace: str, name: str) -> str:
    said = ""
    for pod in api.list("v1", "Pod", namespace, f"app=isvc.{name}-predictor"):
        trouble = describe_trouble(pod)
        if trouble is None:
            said += describe_unscheduled(pod)
            continue
        if "image" in trouble:
            next_step = "scripts/build-images, then scripts/load-images; or name an image that the nodes can pull"
        else:
            last = api.log(pod["metadata"]["name"], namespace, CONTAINER, previous=True, lines=LAST_LINES).strip()
            trouble = f"{trouble}; it said:\n{last}" if last else trouble
            next_step = f"kubectl --namespace {namespace} describe pod {pod['metadata']['name']}"
        raise StepError(f"{name} will not become ready: {trouble}", next_step)
    return said


def _told(service: Object) -> str:
    conditions = (service.get("status") or {}).get("conditions") or []
    messages = [each["message"] for each in conditions if each.get("message")]
    return f": {messages[0]}" if messages else ""
