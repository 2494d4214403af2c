"""Broken values, each refused with a sentence that names the key."""

from typing import Any

import pytest
from rendering import BAKED, refuse, template


def cats(**said: Any) -> dict[str, Any]:
    return {"models": {"cats": {**BAKED, **said}}}


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
    "two GPUs for a server that uses one": (cats(gpu={"count": 2}), "models.cats.gpu.count: 2"),
    "a gateway without a gateway": ({**cats(), "routes": {"class": "gateway"}}, "routes.gateway.parentRefs"),
    "one host for every model's gRPC": (
        {**cats(), "routes": {"grpc": {"host": "grpc.example.com"}}},
        "routes.grpc.host",
    ),
    "a digest that is none": (cats(image={"digest": "sha256:abc"}), "/models/cats/image/digest'"),
    "a tag in the repository": (cats(image={"repository": "a/b:1"}), "/models/cats/image/repository'"),
    "an amount that is none": (cats(resources={"limits": {"memory": "lots"}}), "/models/cats/resources/limits/memory'"),
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
