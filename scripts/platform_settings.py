"""What the platform is set to: manifests/platform, and whether KServe's own settings will do."""

import json
import re

from scripts.api import Api, Object, wait_for
from scripts.console import progress
from scripts.errors import StepError
from scripts.kind import Cluster
from scripts.versions import ROOT

PLATFORM = ROOT / "manifests" / "platform"
WANTED = {
    ("deploy", "defaultDeploymentMode"): "Standard",
    ("ingress", "disableIstioVirtualHost"): True,
    ("ingress", "disableIngressCreation"): True,
}
APPLIED = ("namespace.yaml", "storage.yaml")
PROBE = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "kserve-vision-probe"},
    "spec": {"predictor": {"containers": [{"name": "kserve-container", "image": "none"}]}},
}
"""Never made: a dry run shows whether KServe's webhooks answer."""
WEBHOOK_SECONDS = 60


def apply_settings(cluster: Cluster, api: Api) -> None:
    """Make the namespace of the models, let ``restricted`` admit downloads, and look at KServe's settings.

    Raises:
        StepError: KServe is set to something else, as one that was installed by other means may be.
    """
    config = api.get("v1", "ConfigMap", "inferenceservice-config", "kserve")
    if wrong := find_wrong(config):
        raise StepError(
            f"KServe's ConfigMap inferenceservice-config has {wrong}",
            f"{cluster.kubectl_command} apply --server-side --force-conflicts --filename "
            f"manifests/platform/kserve-config.yaml, then {cluster.kubectl_command} --namespace kserve rollout restart "
            "deployment/kserve-controller-manager",
        )
    with progress("the namespace vision, and downloads that it admits"):
        for name in APPLIED:
            cluster.kubectl(
                *("apply", "--server-side", "--force-conflicts", "--field-manager", "kserve-vision"),
                *("--filename", str(PLATFORM / name)),
                next_step=f"is KServe there? manifests/platform/{name} needs its API",
            )
    next_step = f"{cluster.kubectl_command} --namespace kserve get pods,certificates"
    with progress("KServe's webhooks admit an InferenceService"):
        wait_for(lambda: _refusal(cluster), WEBHOOK_SECONDS, next_step)


def _refusal(cluster: Cluster) -> str | None:
    """Return what they say to a dry run; right after its start, KServe's controller does not listen yet."""
    try:
        cluster.kubectl(
            *("--namespace", "vision", "apply", "--server-side", "--dry-run=server", "--filename", "-"),
            given=json.dumps(PROBE),
            next_step="",
        )
    except StepError as error:
        return str(error)
    return None


def find_wrong(config: Object | None) -> str | None:
    """Return which setting of KServe's ConfigMap is another than Standard mode without Istio needs."""
    if config is None:
        return "not been made"
    for (section, name), wanted in WANTED.items():
        text = (config.get("data") or {}).get(section, "{}")
        # the chart writes a Go template and trailing commas into some of them
        found = json.loads(re.sub(r",(\s*[}\]])", r"\1", text)).get(name)
        if found != wanted:
            return f"{section}.{name} {json.dumps(found)}, not {json.dumps(wanted)}"
    return None
