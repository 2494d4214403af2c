"""dev and staging side by side, as a platform team installs them; what an upgrade restarts, and what it does not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tritonclient.grpc
import yaml
from bundle_store import CONFINED, IMAGE
from callers import REST, assert_labels_right, client, grpc, grpc_client, raw, wait_for_grpc_route, wait_for_route
from space import CHART, Space
from test_scripts import script

from scripts.api import Api, Object, wait_for
from scripts.kind import Cluster
from scripts.programs import run
from scripts.rollout import find_pods

ENVIRONMENTS = CHART / "environments"
NAMES = ("dev", "staging")
MODELS = ("digits", "digits-float32")
OBJECTS = (
    "inferenceservices,deployments,services,ingresses,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies"
)
GONE_SECONDS = 120

CRDS = {
    "ScaledObject": "scaledobjects.keda.sh",
    "PodMonitor": "podmonitors.monitoring.coreos.com",
    "HTTPRoute": "httproutes.gateway.networking.k8s.io",
    "GRPCRoute": "grpcroutes.gateway.networking.k8s.io",
}


@pytest.fixture(scope="module")
def environments(cluster: Cluster, api: Api) -> Iterator[dict[str, Space]]:
    """Both, each in a namespace of its own."""
    for name in NAMES:
        script(cluster, "deploy", name)
    yield {name: Space(cluster, api, f"vision-{name}", f"{name}.vision.localhost") for name in NAMES}
    for name in NAMES:
        cluster.kubectl("delete", "namespace", f"vision-{name}", "--wait=false", next_step="")


@pytest.mark.parametrize("values", [*ENVIRONMENTS.glob("*.yaml"), *(CHART / "ci").glob("*.yaml")], ids=lambda p: p.stem)
def test_the_api_takes_it_under_strict_validation(api: Api, space: Space, values: Path) -> None:
    """With KServe's webhooks; what needs a component that is not here is skipped by its name."""
    command = ["template", "vision", str(CHART), "--namespace", space.name, "--values", str(values)]
    rendered = run("helm", *command, next_step="")
    documents = [each for each in yaml.safe_load_all(rendered) if each]
    definition = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    needed = {CRDS[each["kind"]] for each in documents if each["kind"] in CRDS}
    if missing := sorted(name for name in needed if api.get(*definition, name) is None):
        pytest.skip(
            f"the cluster has no {', '.join(missing)}: scripts/install-platform --with gateway-api,keda,prometheus"
        )
    space.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename", "-", given=rendered)


def test_the_repository_is_not_routed(environments: dict[str, Space]) -> None:
    space = environments["dev"]
    with client(space) as http:
        assert http.get("/v2/repository/index").status_code == 404
    with pytest.raises(tritonclient.grpc.InferenceServerException, match=r"UNIMPLEMENTED|404"):
        grpc_client(space, "digits").get_model_repository_index()


def test_a_label_from_each_by_every_door(environments: dict[str, Space]) -> None:
    for space in environments.values():
        for model in MODELS:
            wait_for_route(space, model)
            wait_for_grpc_route(space, model)
            for door in (*REST.values(), grpc):
                assert_labels_right(space, model, door)
        assert space.events("FailedCreate") == []


@pytest.mark.parametrize("name", NAMES)
def test_helm_test_infers_with_each(environments: dict[str, Space], name: str) -> None:
    space = environments[name]
    flags = ("--namespace", space.name, "--kubeconfig", str(space.cluster.kubeconfig))
    said = run("helm", "test", "vision", *flags, "--logs", next_step="")
    assert "Phase:          Succeeded" in said
    for model in MODELS:
        assert f"{model}: 0" in said


@pytest.mark.parametrize("port", [8080, 8081, 8082])
def test_a_stranger_reaches_no_model_of_staging(environments: dict[str, Space], space: Space, port: int) -> None:
    if space.api.get("apps/v1", "DaemonSet", "kindnet", "kube-system") is None:
        pytest.skip("no kindnet here: the nodes' network enforces no NetworkPolicy")
    (pod,) = find_pods(space.api, "vision-staging", "digits-float32")
    target = f"{pod['status']['podIP']}:{port}"
    assert knock(space, target, {}) == "closed"
    caller = {"app.kubernetes.io/instance": "vision", "app.kubernetes.io/component": "caller"}
    expected = "closed" if port == 8082 else "open"
    assert knock(environments["staging"], target, caller) == expected


def knock(space: Space, target: str, labels: dict[str, str]) -> str:
    """Return whether a pod with those labels can connect: ``open`` or ``closed``."""
    host, port = target.split(":")
    code = f"import socket; socket.create_connection(('{host}', {port}), 4)"
    name = f"knock-{port}"
    container = {"name": "knock", "image": IMAGE, "command": ["python", "-c", code], "securityContext": CONFINED}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        },
    }
    space.kubectl("delete", "pod", name, "--ignore-not-found")
    space.apply(pod)

    def running() -> str | None:
        phase = ((space.get("v1", "Pod", name) or {}).get("status") or {}).get("phase")
        return None if phase in ("Succeeded", "Failed") else f"it is {phase}"

    wait_for(running, GONE_SECONDS, "look at it")
    found = space.get("v1", "Pod", name)
    assert found
    space.kubectl("delete", "pod", name)
    return "open" if found["status"]["phase"] == "Succeeded" else "closed"


def uids(space: Space, model: str) -> set[str]:
    found = find_pods(space.api, space.name, model)
    return {pod["metadata"]["uid"] for pod in found if "deletionTimestamp" not in pod["metadata"]}


def upgrade(space: Space, tmp_path: Path, models: Object) -> None:
    """Deploy dev with something else said of its models."""
    document = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    document["models"] |= models
    path = tmp_path / "dev.yaml"
    path.write_text(yaml.safe_dump(document))
    script(space.cluster, "deploy", str(path), "--namespace", space.name)


def test_an_upgrade_of_one_model_restarts_that_one_alone(environments: dict[str, Space], tmp_path: Path) -> None:
    space = environments["dev"]
    upgrade(space, tmp_path, {})
    before = {model: uids(space, model) for model in MODELS}
    upgrade(space, tmp_path, {"digits": {"variant": {"precision": "int8"}}})
    assert not uids(space, "digits") & before["digits"]
    assert uids(space, "digits-float32") == before["digits-float32"]


def test_a_new_model_restarts_nothing(environments: dict[str, Space], tmp_path: Path) -> None:
    space = environments["dev"]
    upgrade(space, tmp_path, {})
    before = {model: uids(space, model) for model in MODELS}
    upgrade(space, tmp_path, {"third": {}})
    assert {model: uids(space, model) for model in MODELS} == before
    wait_for_route(space, "third")
    assert_labels_right(space, "third", raw)


def test_another_class_leaves_exactly_one_scaler(environments: dict[str, Space], tmp_path: Path) -> None:
    space = environments["dev"]
    scalers = ("autoscaling/v2", "HorizontalPodAutoscaler")
    assert space.api.list(*scalers, space.name) == []
    upgrade(space, tmp_path, {"digits": {"autoscaling": {"class": "hpa"}}})
    assert [each["metadata"]["name"] for each in space.api.list(*scalers, space.name)] == ["digits"]
    upgrade(space, tmp_path, {})
    assert space.api.list(*scalers, space.name) == []


def test_hpa_gives_way_to_keda(environments: dict[str, Space], tmp_path: Path) -> None:
    """KEDA's webhook refuses a workload that another autoscaler has."""
    space = environments["dev"]
    if space.api.get("apps/v1", "Deployment", "keda-operator", "keda") is None:
        pytest.skip("no KEDA here: scripts/install-platform --with keda")
    upgrade(space, tmp_path, {"digits": {"autoscaling": {"class": "hpa"}}})
    before = uids(space, "digits")
    upgrade(space, tmp_path, {"digits": {"autoscaling": {"class": "keda"}}})
    assert [each["metadata"]["name"] for each in space.api.list("keda.sh/v1alpha1", "ScaledObject", space.name)] == [
        "digits"
    ]
    names = {
        each["metadata"]["name"] for each in space.api.list("autoscaling/v2", "HorizontalPodAutoscaler", space.name)
    }
    assert names <= {"keda-hpa-digits"}
    assert uids(space, "digits") == before


def test_uninstalling_one_leaves_the_other_answering_and_nothing_of_itself(environments: dict[str, Space]) -> None:
    staging, dev = environments["staging"], environments["dev"]
    flags = ("--namespace", staging.name, "--kubeconfig", str(staging.cluster.kubeconfig))
    run("helm", "uninstall", "vision", *flags, next_step="", log="uninstall")

    def left() -> str | None:
        found = json.loads(staging.kubectl("get", f"{OBJECTS},pods,configmaps,serviceaccounts", "--output=json"))[
            "items"
        ]
        mine = [
            each["metadata"]["name"]
            for each in found
            if each["metadata"]["name"] not in ("kube-root-ca.crt", "default")
        ]
        return f"there are: {mine}" if mine else None

    wait_for(left, GONE_SECONDS, "look at them")
    assert_labels_right(dev, "digits", raw)
