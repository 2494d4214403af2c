"""none, hpa or keda: exactly one scaler, and KServe's never."""

import pytest
from rendering import Document, of, one, predictor, refuse, render_model

SCALERS = {"none": None, "hpa": "HorizontalPodAutoscaler", "keda": "ScaledObject"}
BAKED = {"bundle": {"baked": True}}
TRIGGER = {
    "type": "cron",
    "metadata": {"timezone": "UTC", "start": "0 8 * * *", "end": "0 18 * * *", "desiredReplicas": "1"},
}


def scaled(name: str, **said: object) -> list[Document]:
    return render_model({"autoscaling": {"class": name, **said}})


@pytest.mark.parametrize("name", SCALERS)
def test_exactly_its_own_scaler_is_there(name: str) -> None:
    found = {each["kind"] for each in scaled(name)} & {kind for kind in SCALERS.values() if kind}
    assert found == ({SCALERS[name]} if SCALERS[name] else set())


@pytest.mark.parametrize(("name", "told"), [("none", "none"), ("hpa", "external"), ("keda", "external")])
def test_kserve_is_told_to_make_none(name: str, told: str) -> None:
    annotations = one("InferenceService", scaled(name))["metadata"]["annotations"]
    assert annotations["serving.kserve.io/autoscalerClass"] == told


@pytest.mark.parametrize("name", ["hpa", "keda"])
def test_nobody_but_the_scaler_says_how_many(name: str) -> None:
    assert not {"minReplicas", "maxReplicas"} & set(predictor(scaled(name)))


def test_between_hpa_and_keda_no_pod_restarts() -> None:
    assert one("InferenceService", scaled("hpa")) == one("InferenceService", scaled("keda"))


def test_from_hpa_to_keda_the_old_scaler_may_still_be_there() -> None:
    """Helm removes what is gone after it has made what is new, and KEDA refuses a workload that an HPA has, else."""
    annotations = one("HorizontalPodAutoscaler", scaled("hpa"))["metadata"]["annotations"]
    assert annotations == {"validations.keda.sh/hpa-ownership": "false"}


def test_the_scalers_scale_the_deployment_that_kserve_makes() -> None:
    for name in ("hpa", "keda"):
        target = one(SCALERS[name] or "", scaled(name))["spec"]["scaleTargetRef"]
        assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cats-predictor"}


def test_hpa_goes_by_cpu_and_by_metrics_of_ones_own() -> None:
    metric = {
        "type": "Pods",
        "pods": {"metric": {"name": "a"}, "target": {"type": "AverageValue", "averageValue": "1"}},
    }
    metrics = one("HorizontalPodAutoscaler", scaled("hpa", metrics=[metric], cpuUtilization=55))["spec"]["metrics"]
    assert metrics[0]["resource"]["target"]["averageUtilization"] == 55
    assert metrics[1] == metric


def test_hpa_without_cpu() -> None:
    metric = {"type": "External", "external": {"metric": {"name": "a"}, "target": {"type": "Value", "value": "1"}}}
    metrics = one("HorizontalPodAutoscaler", scaled("hpa", metrics=[metric], cpuUtilization=0))["spec"]["metrics"]
    assert metrics == [metric]


def test_behaviour_reaches_both() -> None:
    behavior = {"scaleUp": {"stabilizationWindowSeconds": 7}}
    hpa = one("HorizontalPodAutoscaler", scaled("hpa", behavior=behavior))["spec"]["behavior"]
    keda = one("ScaledObject", scaled("keda", behavior=behavior))["spec"]["advanced"]
    assert hpa["scaleUp"] == behavior["scaleUp"]
    assert hpa["scaleDown"] == {"stabilizationWindowSeconds": 300}
    assert keda["horizontalPodAutoscalerConfig"]["behavior"] == hpa


@pytest.mark.parametrize(
    ("metric", "series"), [("queue", "vision_queue_images"), ("requests", "vision_requests_total")]
)
def test_keda_asks_prometheus_for_this_model_alone(metric: str, series: str) -> None:
    (trigger,) = one("ScaledObject", scaled("keda", keda={"metric": metric, "target": 9}))["spec"]["triggers"]
    assert series in trigger["metadata"]["query"]
    assert '{namespace="shop",model="cats"}' in trigger["metadata"]["query"]
    assert trigger["metadata"]["threshold"] == "9"


def test_triggers_of_ones_own_replace_the_metric() -> None:
    assert one("ScaledObject", scaled("keda", keda={"triggers": [TRIGGER]}))["spec"]["triggers"] == [TRIGGER]


def test_hpa_refuses_0() -> None:
    said = {"models": {"cats": {**BAKED, "autoscaling": {"class": "hpa", "min": 0}}}}
    assert "models.cats.autoscaling.min: 0" in refuse(said)


def test_keda_refuses_0_where_nothing_would_wake_the_model() -> None:
    said = {"models": {"cats": {**BAKED, "autoscaling": {"class": "keda", "min": 0}}}}
    assert "models.cats.autoscaling.min: 0 needs keda.triggers" in refuse(said)


def test_keda_keeps_0_with_triggers_and_none_keeps_it() -> None:
    assert one("ScaledObject", scaled("keda", min=0, keda={"triggers": [TRIGGER]}))["spec"]["minReplicaCount"] == 0
    assert predictor(render_model({"replicas": 0}))["minReplicas"] == 0


def test_fewest_and_most() -> None:
    hpa = one("HorizontalPodAutoscaler", scaled("hpa", min=2, max=7))["spec"]
    keda = one("ScaledObject", scaled("keda", min=2, max=7))["spec"]
    assert (hpa["minReplicas"], hpa["maxReplicas"]) == (2, 7)
    assert (keda["minReplicaCount"], keda["maxReplicaCount"]) == (2, 7)
    assert of("InferenceService", scaled("hpa", min=2, max=7)).keys() == {"cats"}
