"""The web page's own objects, and that no model's is another because of it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from rendering import BAKED, CHART, Document, of, one, render, template

from frontend.catalogue import parse_catalogue
from frontend.settings import parse_settings

MODELS = {"cats": BAKED, "dogs": BAKED}
NAME = "vision-frontend"
GATEWAY = {"class": "gateway", "gateway": {"parentRefs": [{"name": "public"}]}}
GRPC = {"grpc": {"host": "MODEL.grpc.example.com"}}
KINDS = {"Deployment", "Service", "PodDisruptionBudget", "Ingress", "HTTPRoute", "NetworkPolicy"}


def paged(said: dict[str, Any] | None = None, **others: Any) -> list[Document]:
    """Return what the chart makes of two models and a page of which something is said."""
    return render(values={"models": MODELS, "frontend": said or {}, **others})


def pod(documents: list[Document]) -> Document:
    return dict(one("Deployment", documents)["spec"]["template"]["spec"])


def arguments(said: dict[str, Any] | None = None, **others: Any) -> list[str]:
    (container,) = pod(paged(said, **others))["containers"]
    return list(container["args"])


@pytest.mark.parametrize("routes", [GRPC, {**GATEWAY, **GRPC, "host": "example.com"}, {"public": False}])
def test_without_it_nothing_of_it_is_there_and_with_it_no_models_object_is_another(routes: dict[str, Any]) -> None:
    more = {"routes": routes, "networkPolicy": {"enabled": True}}
    without = paged({"enabled": False}, **more)
    assert "frontend" not in str([each for each in without if each["metadata"]["name"] != "vision-test"])
    added = [each for each in paged(**more) if each not in without and each["metadata"]["name"] != "vision-test"]
    assert {each["metadata"]["name"] for each in added} == {NAME}
    assert len(added) == len(paged(**more)) - len(without)


def test_it_has_a_deployment_a_service_and_a_route() -> None:
    of_it = {each["kind"] for each in paged({"replicas": 2}, networkPolicy={"enabled": True}) if named(each)}
    assert of_it == KINDS - {"HTTPRoute"}
    of_it = {each["kind"] for each in paged(routes=GATEWAY) if named(each)}
    assert of_it == {"Deployment", "Service", "HTTPRoute"}


def named(document: Document) -> bool:
    return bool(document["metadata"]["name"] == NAME)


def test_what_no_model_has_is_its_own() -> None:
    spec = of("Ingress", paged(routes={"host": "a.example.com"}))[NAME]["spec"]
    (rule,) = spec["rules"]
    backend = {"service": {"name": NAME, "port": {"number": 80}}}
    assert rule == {
        "host": "a.example.com",
        "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
    }
    route = of("HTTPRoute", paged(routes={**GATEWAY, "host": "a.example.com"}))[NAME]["spec"]
    assert route["hostnames"] == ["a.example.com"]
    (rule,) = route["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert rule["backendRefs"] == [{"name": NAME, "port": 80}]


@pytest.mark.parametrize(
    "routes",
    [
        {"host": "a.b", "tls": {"secretName": "cert"}, "ingress": {"className": "c", "annotations": {"d": "e"}}},
        {**GATEWAY, "host": "a.b", "gateway": {"parentRefs": [{"name": "public"}], "timeoutSeconds": 9}},
    ],
)
def test_its_route_is_as_a_models_but_for_the_paths(routes: dict[str, Any]) -> None:
    routes_of = of(*({"gateway": "HTTPRoute"}.get(routes.get("class", ""), "Ingress"), paged(routes=routes)))
    own, cats = routes_of[NAME], routes_of["cats"]
    for each in (own, cats):
        (rule,) = each["spec"]["rules"]
        for key in ("http", "matches", "backendRefs"):
            rule.pop(key, None)
    assert own["spec"] == cats["spec"]
    assert own["metadata"].get("annotations") == cats["metadata"].get("annotations")


def test_without_routes_of_their_own_models_are_reached_by_way_of_it() -> None:
    documents = paged(routes={"public": False}, networkPolicy={"enabled": True})
    assert set(of("Ingress", documents)) == {NAME}
    ports = of("NetworkPolicy", documents)["cats"]["spec"]["ingress"][0]
    (caller,) = ports["from"]
    labels = one("Deployment", documents)["spec"]["template"]["metadata"]["labels"]
    assert caller["podSelector"]["matchLabels"].items() <= labels.items()


def test_routes_and_clients_may_call_it_and_nobody_else() -> None:
    policy = {"enabled": True, "routeNamespaces": ["edge"], "clientNamespaces": ["edge", "shop"]}
    spec = of("NetworkPolicy", paged(networkPolicy=policy))[NAME]["spec"]
    assert spec["policyTypes"] == ["Ingress"]
    (rule,) = spec["ingress"]
    assert rule["ports"] == [{"port": 8000, "protocol": "TCP"}]
    namespaces = [each["namespaceSelector"]["matchLabels"] for each in rule["from"] if "namespaceSelector" in each]
    assert [labels["kubernetes.io/metadata.name"] for labels in namespaces] == ["edge", "shop"]
    assert of("NetworkPolicy", paged()) == {}


def test_its_service_finds_its_pods_and_no_other() -> None:
    documents = render(values={"models": {"frontend": BAKED}})
    selector = of("Service", documents)[NAME]["spec"]["selector"]
    assert selector == one("Deployment", documents)["spec"]["selector"]["matchLabels"]
    assert selector.items() <= one("Deployment", documents)["spec"]["template"]["metadata"]["labels"].items()
    for other in (one("InferenceService", documents), one("Pod", documents)):
        assert not selector.items() <= other["metadata"]["labels"].items()
    (port,) = of("Service", documents)[NAME]["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (80, 8000)


def test_a_new_model_reaches_its_pods_and_restarts_nothing() -> None:
    before = render(values={"models": {"cats": BAKED}})
    after = render(values={"models": MODELS})
    assert one("Deployment", before) == one("Deployment", after)
    assert of("ConfigMap", before)["vision-catalogue"] != of("ConfigMap", after)["vision-catalogue"]


def test_the_catalogue_is_mounted_as_a_folder() -> None:
    """A subPath would never change."""
    found = pod(paged())
    assert found["volumes"] == [{"name": "catalogue", "configMap": {"name": "vision-catalogue"}}]
    (mount,) = found["containers"][0]["volumeMounts"]
    assert mount == {"name": "catalogue", "mountPath": "/catalogue", "readOnly": True}
    assert "--catalogue=/catalogue/models.json" in arguments()
    assert "models.json" in of("ConfigMap", paged())["vision-catalogue"]["data"]


def test_a_gateway_elsewhere_is_handed_on() -> None:
    assert {"--gateway=https://a.b", "--catalogue=/catalogue/models.json"} <= set(arguments({"gateway": "https://a.b"}))
    documents = render(values={"frontend": {"gateway": "https://a.b"}})
    assert not [each for each in pod(documents)["containers"][0]["args"] if "catalogue" in each]
    assert "volumes" not in pod(documents)


def test_every_option_is_one_of_the_frontend() -> None:
    """It would refuse another, or a value that is none, and end."""
    said = {"maxBodyBytes": 10_000_000, "bodyTimeoutSeconds": 2.5, "timeoutSeconds": 3600, "accessLog": False}
    settings = parse_settings(arguments({"server": said, "gateway": "https://a.b/c/"}))
    assert (settings.catalogue, settings.gateway) == (Path("/catalogue/models.json"), "https://a.b/c")
    assert (settings.max_body_bytes, settings.body_timeout_seconds) == (10_000_000, 2.5)
    assert (settings.timeout_seconds, settings.access_log) == (3600, False)


def test_what_is_not_said_is_the_frontends_own_default() -> None:
    assert parse_settings(arguments()) == parse_settings(["--catalogue=/catalogue/models.json"])


def test_what_the_catalogue_says_is_what_the_frontend_reads() -> None:
    text = of("ConfigMap", paged())["vision-catalogue"]["data"]["models.json"]
    assert parse_catalogue(json.loads(text)) == {
        "cats": "http://cats-predictor.shop.svc",
        "dogs": "http://dogs-predictor.shop.svc",
    }


@pytest.mark.parametrize(
    ("said", "grace"), [({}, 5 + 30 + 30 + 5), ({"drainDelaySeconds": 7, "timeoutSeconds": 0.5}, 43)]
)
def test_the_grace_is_what_its_numbers_add_up_to(said: dict[str, Any], grace: int) -> None:
    assert pod(paged({"server": said}))["terminationGracePeriodSeconds"] == grace
    assert pod(paged({"server": said, "gracePeriodSeconds": 99}))["terminationGracePeriodSeconds"] == 99


def test_a_pod_that_ends_goes_on_accepting_while_routes_forget_it() -> None:
    (container,) = pod(paged())["containers"]
    assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    (container,) = pod(paged({"server": {"drainDelaySeconds": 0}}))["containers"]
    assert "lifecycle" not in container


def test_a_new_pod_is_there_before_an_old_one_goes() -> None:
    assert one("Deployment", paged())["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_it_stays_when_models_are_away() -> None:
    (container,) = pod(paged())["containers"]
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/v2/health/live", "port": 8000}


@pytest.mark.parametrize(("replicas", "budgets"), [(0, 0), (1, 0), (2, 1)])
def test_it_has_a_budget_where_it_has_more_than_one_pod(replicas: int, budgets: int) -> None:
    documents = paged({"replicas": replicas})
    assert one("Deployment", documents)["spec"]["replicas"] == replicas
    assert len([each for each in of("PodDisruptionBudget", documents) if each == NAME]) == budgets


def test_places_of_its_own() -> None:
    toleration = {"key": "a", "operator": "Exists"}
    said = {
        "nodeSelector": {"b": "c"},
        "tolerations": [toleration],
        "affinity": {"podAffinity": {}},
        "spreadOver": ["z"],
    }
    found = pod(paged({"scheduling": {**said, "priorityClassName": "high"}}))
    assert (found["nodeSelector"], found["tolerations"]) == ({"b": "c"}, [toleration])
    assert (found["affinity"], found["priorityClassName"]) == ({"podAffinity": {}}, "high")
    (spread,) = found["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["matchLabelKeys"]) == ("z", ["pod-template-hash"])
    assert spread["labelSelector"]["matchLabels"] == one("Deployment", paged())["spec"]["selector"]["matchLabels"]


def test_labels_and_annotations_are_its_pods() -> None:
    metadata = one("Deployment", paged({"labels": {"a": "b"}, "annotations": {"c": "d"}}))["spec"]["template"][
        "metadata"
    ]
    assert metadata["labels"]["a"] == "b"
    assert metadata["annotations"] == {"c": "d"}


@pytest.mark.parametrize(
    ("said", "image"),
    [
        ({}, "mirror:5000/kserve-vision/frontend:7"),
        ({"registry": "other", "tag": "1"}, "other/kserve-vision/frontend:1"),
        ({"repository": "a/b"}, "mirror:5000/a/b:0.1.0"),
        ({"repository": "a/b", "digest": f"sha256:{'a' * 64}"}, f"mirror:5000/a/b@sha256:{'a' * 64}"),
    ],
)
def test_its_image_comes_from_where_the_models_come_from(said: dict[str, str], image: str) -> None:
    defaults = {"image": {"registry": "mirror:5000", "tag": "7", "pullSecrets": ["theirs"]}}
    found = pod(paged({"image": said}, defaults=defaults))
    assert found["containers"][0]["image"] == image
    assert found["imagePullSecrets"] == [{"name": "theirs"}]


def test_the_tag_of_another_image_is_not_its_own() -> None:
    found = pod(paged(defaults={"image": {"repository": "shop/cats", "tag": "7"}}))
    assert found["containers"][0]["image"] == "kserve-vision/frontend:0.1.0"


def test_pull_secrets_of_its_own_win() -> None:
    documents = paged({"image": {"pullSecrets": ["ours"]}}, defaults={"image": {"pullSecrets": ["theirs"]}})
    assert pod(documents)["imagePullSecrets"] == [{"name": "ours"}]


def test_its_user_is_the_images_or_the_clusters_to_choose() -> None:
    assert pod(paged())["containers"][0]["securityContext"]["runAsUser"] == 65532
    assert "runAsUser" not in pod(paged({"security": {"runAsUser": 0}}))["containers"][0]["securityContext"]


def test_it_is_tested_with_the_models_that_have_pods() -> None:
    asked = yaml.safe_load(of("ConfigMap", paged())["vision-test"]["data"]["models.json"])
    assert asked["frontend"] == "http://vision-frontend.shop.svc"
    assert [model["id"] for model in asked["models"]] == ["cats", "dogs"]
    asked = yaml.safe_load(of("ConfigMap", paged({"enabled": False}))["vision-test"]["data"]["models.json"])
    assert "frontend" not in asked


def test_on_kind_it_is_small() -> None:
    (container,) = pod(render(CHART / "environments" / "kind.yaml"))["containers"]
    assert container["resources"]["requests"] == {"cpu": "20m", "memory": "64Mi"}
    assert container["image"] == "kserve-vision/frontend:dev"


@pytest.mark.parametrize("release", ["1", "a.b"])
def test_a_release_that_no_service_can_be_called_after(release: str) -> None:
    done = template(values={"models": MODELS}, release=release)
    assert f"frontend.enabled: its Service would be called {release}-frontend" in done.stderr


def test_a_model_of_its_name_where_there_is_no_such_object() -> None:
    values = {"models": {NAME: BAKED}}
    assert template(values={**values, "frontend": {"enabled": False}}).returncode == 0
    assert template(values=values, release="other").returncode == 0
