"""Every field is one that its API knows, by the models that Kubernetes and KServe generate for Python.

Of what is not theirs (KEDA, the Gateway API, the Prometheus operator) tests/e2e asks the API itself.
"""

import re
from collections.abc import Iterator
from typing import Any

import kserve
import pytest
from kubernetes import client
from rendering import CHART, ENVIRONMENTS, SCENARIOS, render

FILES = [*(CHART / "environments" / f"{name}.yaml" for name in ENVIRONMENTS)]
FILES += [*(CHART / "ci" / f"{name}-values.yaml" for name in SCENARIOS)]
MODELS = {
    "ConfigMap": client.V1ConfigMap,
    "Deployment": client.V1Deployment,
    "HorizontalPodAutoscaler": client.V2HorizontalPodAutoscaler,
    "InferenceService": kserve.V1beta1InferenceService,
    "Ingress": client.V1Ingress,
    "NetworkPolicy": client.V1NetworkPolicy,
    "Pod": client.V1Pod,
    "PodDisruptionBudget": client.V1PodDisruptionBudget,
    "Service": client.V1Service,
    "ServiceAccount": client.V1ServiceAccount,
}
OTHERS = {"GRPCRoute", "HTTPRoute", "PodMonitor", "ScaledObject"}
SCALARS = {"str": str, "int": int, "bool": bool, "ResourceQuantity": str}


def strangers(value: Any, kind: str, path: str) -> Iterator[str]:
    """Yield where a value has a field that its kind has not, or is of another type."""
    if found := re.fullmatch(r"[Ll]ist\[(.+)\]", kind):
        for number, each in enumerate(value):
            yield from strangers(each, found[1], f"{path}[{number}]")
    elif found := re.fullmatch(r"[Dd]ict[(\[]str, (.+)[)\]]", kind):
        for key, each in value.items():
            yield from strangers(each, found[1], f"{path}.{key}")
    elif kind in SCALARS:
        if type(value) is not SCALARS[kind]:
            yield f"{path}: {value!r} is not a {kind}"
    elif kind != "object":
        name = kind.replace("K8sIoApiAppsV1", "V1")
        model = getattr(kserve, name, None) or getattr(client, name)
        kinds = {model.attribute_map[key]: each for key, each in model.openapi_types.items()}
        for key, each in value.items():
            if key not in kinds:
                yield f"{path}: {key} is not known"
            else:
                yield from strangers(each, kinds[key], f"{path}.{key}")


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_no_field_is_unknown_and_none_of_another_type(file) -> None:
    for document in render(file):
        kind = document["kind"]
        if kind in MODELS:
            assert list(strangers(document, MODELS[kind].__name__, kind)) == []
        else:
            assert kind in OTHERS


def test_a_stranger_is_found() -> None:
    pod = {"spec": {"containers": [{"name": "a", "image": 1, "comand": ["b"]}]}}
    assert list(strangers(pod, "V1Pod", "Pod")) == [
        "Pod.spec.containers[0].image: 1 is not a str",
        "Pod.spec.containers[0]: comand is not known",
    ]
