"""Broken values, each refused with a sentence that names the key."""

from typing import Any

import pytest
from rendering import BAKED, refuse, template


def cats(**said: Any) -> dict[str, Any]:
    return {"models": {"cats": {**BAKED, **said}}}


def page(**said: Any) -> dict[str, Any]:
    return {**cats(), "frontend": said}


GATEWAY = {"class": "gateway", "gateway": {"parentRefs": [{"name": "public"}]}}

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt key of a model": (cats(replcas=2), "/models/cats': additional properties 'replcas'"),
    "a misspelt key of the chart": ({"route": {}}, "additional properties 'route'"),
    "a misspelt key deep inside": (cats(image={"tags": "1"}), "/models/cats/image': additional properties 'tags'"),
    "a capital in a name": ({"models": {"Cats": BAKED}}, "models.Cats: a name has a-z"),
    "a name of 49 characters": ({"models": {"a" * 49: BAKED}}, "at most 48 characters"),
    "a name that begins with a digit": ({"models": {"2cats": BAKED}}, "models.2cats: a name"),
    "more at least than at most": (cats(autoscaling={"class": "hpa", "min": 5, "max": 2}), "autoscaling.min: 5"),
    "baked and downloaded at once": (
        cats(bundle={"baked": True, "storageUri": "s3://a/b"}),
        "models.cats.bundle: baked and storageUri are both given",
    ),
    "neither baked nor downloaded": ({"models": {"cats": {}}}, "models.cats.bundle: neither baked nor storageUri"),
    "an address nobody downloads from": (
        {"models": {"cats": {"bundle": {"storageUri": "/mnt/cats"}}}},
        "models.cats.bundle.storageUri",
    ),
    "a precision there is not": (cats(variant={"precision": "int4"}), "/models/cats/variant/precision'"),
    "replicas in words": (cats(replicas="two"), "/models/cats/replicas'"),
    "fewer than no replicas": (cats(replicas=-1), "/models/cats/replicas'"),
    "a scaler there is not": (cats(autoscaling={"class": "vpa"}), "/models/cats/autoscaling/class'"),
    "hpa from nothing": (cats(autoscaling={"class": "hpa", "min": 0}), "models.cats.autoscaling.min"),
    "hpa with nothing to go by": (
        cats(autoscaling={"class": "hpa", "cpuUtilization": 0}),
        "models.cats.autoscaling.cpuUtilization",
    ),
    "keda from nothing, with nothing that wakes": (cats(autoscaling={"class": "keda", "min": 0}), "keda.triggers"),
    "a grace that would lose requests": (cats(gracePeriodSeconds=10), "models.cats.gracePeriodSeconds: 10 is less"),
    "an option that is the chart's": (
        cats(server={"args": ["--precision=int8"]}),
        "models.cats.server.args: --precision is the chart's",
    ),
    "a variable that is the chart's": (cats(env=[{"name": "STORAGE_URI", "value": "a"}]), "models.cats.env"),
    "Knative": (
        cats(annotations={"serving.kserve.io/deploymentMode": "Knative"}),
        "Knative mode is not supported, models run in Standard mode",
    ),
    "a variable twice": (cats(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]), "models.cats.env: A"),
    "a variable that is a number": (cats(env=[{"name": "A", "value": 1}]), "/models/cats/env/0/value'"),
    "a variable that KServe refuses": (cats(env=[{"name": "PYTHONPATH", "value": "a"}]), "models.cats.env: PYTHONPATH"),
    "more images in a request than are admitted": (cats(server={"queueSize": 32}), "models.cats.server.maxImages: 64"),
    "a strategy of two kinds": (
        {"defaults": {"strategy": {"rollingUpdate": {"maxSurge": 2}}}, **cats(strategy={"type": "Recreate"})},
        "models.cats.strategy: Recreate takes no rollingUpdate",
    ),
    "a strategy there is not": (cats(strategy={"type": "Rolling"}), "/models/cats/strategy/type'"),
    "a label that pods are found by": (cats(labels={"app.kubernetes.io/component": "x"}), "models.cats.labels: app"),
    "a scaler by KServe's annotation": (
        cats(annotations={"serving.kserve.io/autoscalerClass": "hpa"}),
        "models.cats.annotations: serving.kserve.io/autoscalerClass is the chart's",
    ),
    "an engine of CPUs on a GPU": (
        cats(gpu={"count": 1}, variant={"engine": "openvino"}),
        "models.cats.variant.engine: openvino runs on CPUs",
    ),
    "int8 on a GPU": (cats(gpu={"count": 1}, variant={"precision": "int8"}), "models.cats.variant.precision: int8"),
    "half precision without torch": (
        cats(variant={"precision": "float16", "engine": "onnxruntime"}),
        "models.cats.variant.precision: float16 needs engine torch",
    ),
    "two models of one name for gRPC": ({"models": {"a": BAKED, "a-grpc": BAKED}}, "models.a-grpc: is also what"),
    "a model that is nothing": ({"models": {"cats": None}}, "/models/cats'"),
    "a default taken away": ({"defaults": {"image": None}, **cats()}, "/defaults': missing property 'image'"),
    "an account that nobody makes": ({**cats(), "serviceAccount": {"create": False}}, "serviceAccount.name"),
    "two GPUs for a server that uses one": (cats(gpu={"count": 2}), "models.cats.gpu.count: 2"),
    "a gateway without a gateway": ({**cats(), "routes": {"class": "gateway"}}, "routes.gateway.parentRefs"),
    "a certificate for a gateway": (
        {**cats(), "routes": {**GATEWAY, "host": "a.b", "tls": {"secretName": "cert"}}},
        "routes.tls.secretName: is an Ingress's",
    ),
    "gRPC on a gateway that takes every host for HTTP": (
        {**cats(), "routes": {**GATEWAY, "grpc": {"host": "MODEL.b"}}},
        "routes.host: is empty",
    ),
    "gRPC on the host of the paths": (
        {**cats(), "routes": {"host": "cats.b", "grpc": {"host": "MODEL.b"}}},
        'routes.grpc.host: "MODEL.b" makes cats.b of models.cats',
    ),
    "one host for every model's gRPC": (
        {**cats(), "routes": {"grpc": {"host": "grpc.example.com"}}},
        "routes.grpc.host",
    ),
    "nothing could ever be replaced": (
        cats(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
        "models.cats.strategy.rollingUpdate: maxSurge and maxUnavailable are both 0",
    ),
    "no node could ever be drained": (
        cats(podDisruptionBudget={"maxUnavailable": 0}),
        "models.cats.podDisruptionBudget.maxUnavailable: is 0",
    ),
    "a GPU beside the switch": (
        cats(resources={"limits": {"nvidia.com/gpu": 1}}),
        "models.cats.resources.limits: nvidia.com/gpu",
    ),
    "two values of one variable": (cats(env=[{"name": "A", "value": "b", "valueFrom": {}}]), "models.cats.env: A has"),
    "a misspelt key of behaviour": (
        cats(autoscaling={"behavior": {"scaleDown": {"polices": []}}}),
        "additional properties 'polices'",
    ),
    "keda from nothing, woken by its own pods": (
        cats(autoscaling={"class": "keda", "min": 0, "keda": {"triggers": [{"type": "cpu"}]}}),
        "models.cats.autoscaling.keda.triggers: none of them would wake",
    ),
    "a digest that is none": (cats(image={"digest": "sha256:abc"}), "/models/cats/image/digest'"),
    "a tag in the repository": (cats(image={"repository": "a/b:1"}), "/models/cats/image/repository'"),
    "more requested than allowed": (
        cats(resources={"requests": {"memory": "2Gi"}}),
        "models.cats.resources.requests.memory: 2Gi is more than limits.memory, 1Gi",
    ),
    "an amount that is none": (cats(resources={"limits": {"memory": "lots"}}), "/models/cats/resources/limits/memory'"),
    "a grace of the frontend that would lose requests": (
        page(gracePeriodSeconds=9),
        "frontend.gracePeriodSeconds: 9 is less than server.drainDelaySeconds + bodyTimeoutSeconds + timeoutSeconds",
    ),
    "no node with the frontend could be drained": (
        page(podDisruptionBudget={"maxUnavailable": 0}),
        "frontend.podDisruptionBudget.maxUnavailable: is 0",
    ),
    "a label that the frontend's pods are found by": (
        page(labels={"app.kubernetes.io/name": "a"}),
        "frontend.labels: app.kubernetes.io/name is the chart's",
    ),
    "more requested for the frontend than allowed": (
        page(resources={"requests": {"memory": "1Gi"}}),
        "frontend.resources.requests.memory: 1Gi is more than limits.memory, 512Mi",
    ),
    "a gateway elsewhere that is no address": (page(gateway="vision.example.com"), "/frontend/gateway'"),
    "a gateway elsewhere with a query": (page(gateway="https://a.b/?c"), "/frontend/gateway'"),
    "half a second of preStop": (page(server={"drainDelaySeconds": 0.5}), "/frontend/server/drainDelaySeconds'"),
    "more time than the frontend takes": (page(server={"timeoutSeconds": 3601}), "/frontend/server/timeoutSeconds'"),
    "a misspelt key of the frontend": (page(replcas=2), "/frontend': additional properties 'replcas'"),
    "a model that is called like the frontend": (
        {"models": {"vision-frontend": BAKED}},
        "models.vision-frontend: is also what the frontend's objects are called",
    ),
    "the page alone behind no gateway": (
        {"routes": {"class": "gateway", "public": False}},
        "routes.gateway.parentRefs: is empty",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_values_are_refused_with_the_key(name: str) -> None:
    values, words = BROKEN[name]
    said = refuse(values)
    assert words in said
    assert (
        len([line for line in said.splitlines() if line.strip().startswith("- at") or "execution error" in line]) == 1
    )


def test_the_same_values_mended_are_taken() -> None:
    assert template(values=cats()).returncode == 0
