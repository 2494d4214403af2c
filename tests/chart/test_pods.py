"""Rollouts, ends, probes, places."""

import pytest
from rendering import BAKED, container, of, one, predictor, render, render_model

GPU = {"gpu": {"count": 1}}


def test_a_new_pod_is_there_before_an_old_one_goes() -> None:
    strategy = predictor(render_model({}))["deploymentStrategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


@pytest.mark.parametrize("name", ["nvidia.com/gpu", "example.com/accelerator"])
def test_on_whole_gpus_the_old_one_goes_first(name: str) -> None:
    strategy = predictor(render_model({"gpu": {"count": 1, "resourceName": name}}))["deploymentStrategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


@pytest.mark.parametrize("name", ["nvidia.com/mig-1g.10gb", "nvidia.com/gpu.shared"])
def test_on_slices_a_new_one_may_come_first(name: str) -> None:
    strategy = predictor(render_model({"gpu": {"count": 1, "resourceName": name}}))["deploymentStrategy"]
    assert strategy["rollingUpdate"]["maxSurge"] == 1


def test_a_strategy_of_ones_own_wins() -> None:
    assert predictor(render_model({"strategy": {"type": "Recreate"}}))["deploymentStrategy"] == {"type": "Recreate"}


def test_the_grace_is_what_the_servers_numbers_add_up_to() -> None:
    server = {"drainDelaySeconds": 7, "bodyTimeoutSeconds": 11, "timeoutSeconds": 13}
    assert predictor(render_model({"server": server}))["terminationGracePeriodSeconds"] == 7 + 11 + 13 + 5


def test_fractions_of_a_second_are_not_lost() -> None:
    server = {"drainDelaySeconds": 0.5, "bodyTimeoutSeconds": 1.5, "timeoutSeconds": 2.5}
    assert predictor(render_model({"server": server}))["terminationGracePeriodSeconds"] == 10


def test_a_longer_grace_is_taken() -> None:
    assert predictor(render_model({"gracePeriodSeconds": 300}))["terminationGracePeriodSeconds"] == 300


def test_probes_ask_the_servers_own_health() -> None:
    found = container(render_model({}))
    assert found["readinessProbe"]["httpGet"] == {"path": "/v2/health/ready", "port": 8080}
    assert found["livenessProbe"]["httpGet"] == {"path": "/v2/health/live", "port": 8080}


@pytest.mark.parametrize(("said", "given"), [(600, 600), (5, 6), (1, 2)])
def test_a_bundle_may_take_its_time_to_load(said: int, given: int) -> None:
    probe = container(render_model({"probes": {"startSeconds": said}}))["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == given


def test_a_model_survives_the_drain_of_a_node() -> None:
    budget = one("PodDisruptionBudget", render_model({"podDisruptionBudget": {"maxUnavailable": "25%"}}))
    assert budget["spec"]["maxUnavailable"] == "25%"
    assert budget["spec"]["selector"]["matchLabels"] == {"app": "isvc.cats-predictor"}


def test_pods_are_spread() -> None:
    said = {"scheduling": {"spreadOver": ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]}}
    spread = predictor(render_model(said))["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == said["scheduling"]["spreadOver"]
    assert {each["labelSelector"]["matchLabels"]["app"] for each in spread} == {"isvc.cats-predictor"}
    assert {tuple(each["matchLabelKeys"]) for each in spread} == {("pod-template-hash",)}


def test_places_of_ones_own() -> None:
    toleration = {"key": "a", "operator": "Exists"}
    said = {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [toleration],
        "affinity": {"podAntiAffinity": {}},
        "priorityClassName": "high",
    }
    found = predictor(render_model({"scheduling": said}))
    assert found["nodeSelector"] == {"disk": "ssd"}
    assert found["tolerations"] == [toleration]
    assert found["affinity"] == {"podAntiAffinity": {}}
    assert found["priorityClassName"] == "high"


def test_one_switch_puts_a_model_on_a_gpu() -> None:
    documents = render_model(GPU)
    found = container(documents)
    assert found["image"].startswith("kserve-vision/server-gpu:")
    assert "--device=cuda" in found["args"]
    assert found["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert found["resources"]["requests"]["nvidia.com/gpu"] == "1"
    assert found["resources"]["limits"]["memory"] == "4Gi"
    assert predictor(documents)["tolerations"][0]["key"] == "nvidia.com/gpu"


def test_what_the_model_says_of_its_memory_wins_over_the_gpus() -> None:
    found = container(render_model({**GPU, "resources": {"limits": {"memory": "9Gi"}}}))
    assert found["resources"]["limits"]["memory"] == "9Gi"
    assert found["resources"]["requests"]["memory"] == "2Gi"


def test_the_image_for_cpus_is_not_taken_to_a_gpu() -> None:
    said = {
        "image": {"repository": "cpu", "digest": f"sha256:{'a' * 64}", "tag": "7"},
        "gpu": {"image": {"repository": "gpu"}},
    }
    documents = render(values={"defaults": said, "models": {"cats": {**BAKED, **GPU}, "dogs": BAKED}})
    images = {
        name: each["spec"]["predictor"]["containers"][0]["image"]
        for name, each in of("InferenceService", documents).items()
    }
    assert images == {"cats": "gpu:7", "dogs": f"cpu@sha256:{'a' * 64}"}


def test_the_switch_leaves_a_registry_of_ones_own() -> None:
    found = container(render_model({**GPU, "image": {"registry": "registry.example.com"}}))
    assert found["image"].startswith("registry.example.com/kserve-vision/server-gpu:")


def test_the_user_is_the_images_or_the_clusters_to_choose() -> None:
    context = container(render_model({}))["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (65532, 65532)
    documents = render_model({"security": {"runAsUser": 0}})
    assert "runAsUser" not in container(documents)["securityContext"]
    assert "runAsUser" not in one("Pod", documents)["spec"]["securityContext"]


def test_on_cpu_nothing_of_the_gpu_is_left() -> None:
    said = {"gpu": {"count": 0, "nodeSelector": {"a": "b"}, "runtimeClassName": "nvidia"}}
    documents = render_model(said)
    assert "--device=cpu" in container(documents)["args"]
    assert not {"nodeSelector", "tolerations", "runtimeClassName"} & set(predictor(documents))
    assert "nvidia" not in str(one("InferenceService", documents))


def test_a_gpus_nodes_are_selected_beside_ones_own() -> None:
    said = {
        "gpu": {"count": 1, "nodeSelector": {"gpu": "l4"}, "runtimeClassName": "nvidia"},
        "scheduling": {"nodeSelector": {"disk": "ssd", "role": ""}},
    }
    found = predictor(render_model(said))
    assert found["nodeSelector"] == {"gpu": "l4", "disk": "ssd", "role": ""}
    assert found["runtimeClassName"] == "nvidia"


def test_the_test_calls_only_models_that_have_pods() -> None:
    assert "http://cats-predictor" in of("ConfigMap", render_model({}))["vision-test"]["data"]["models.json"]
    assert "http://cats" not in of("ConfigMap", render_model({"replicas": 0}))["vision-test"]["data"]["models.json"]


def test_the_test_runs_in_an_image_for_cpus_if_there_is_one() -> None:
    models = {"a": {**BAKED, **GPU}, "b": {**BAKED, "image": {"tag": "b"}}, "c": BAKED}
    (runner,) = one("Pod", render(values={"models": models}))["spec"]["containers"]
    assert runner["image"] == "kserve-vision/server:b"
    (runner,) = one("Pod", render_model(GPU))["spec"]["containers"]
    assert runner["image"].startswith("kserve-vision/server-gpu:")
