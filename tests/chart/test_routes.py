"""What leads to a model from outside, and what may call it."""

from typing import Any

import pytest
from rendering import Document, of, one, render_model

PATHS = {
    ("/model/cats", "Prefix"),
    ("/v2/models/cats", "Prefix"),
    ("/v1/models/cats", "Exact"),
    ("/v1/models/cats:predict", "Exact"),
}
ROUTES = ("Ingress", "HTTPRoute", "GRPCRoute")
GATEWAY = {"class": "gateway", "gateway": {"parentRefs": [{"name": "public"}]}}


def routed(**routes: Any) -> list[Document]:
    return render_model({}, routes=routes)


def test_an_ingress_has_the_four_paths_and_no_other() -> None:
    (rule,) = one("Ingress", routed())["spec"]["rules"]
    assert {(path["path"], path["pathType"]) for path in rule["http"]["paths"]} == PATHS
    services = {str(path["backend"]) for path in rule["http"]["paths"]}
    assert services == {str({"service": {"name": "cats-predictor", "port": {"number": 80}}})}


def test_an_http_route_has_the_same() -> None:
    (rule,) = one("HTTPRoute", routed(**GATEWAY))["spec"]["rules"]
    kinds = {"PathPrefix": "Prefix", "Exact": "Exact"}
    assert {(match["path"]["value"], kinds[match["path"]["type"]]) for match in rule["matches"]} == PATHS
    assert rule["backendRefs"] == [{"name": "cats-predictor", "port": 80}]


@pytest.mark.parametrize("routes", [{"host": "a.example.com"}, {"host": "a.example.com", **GATEWAY}])
def test_the_repository_and_the_metrics_are_never_routed(routes: dict[str, Any]) -> None:
    text = str([each for each in routed(**routes) if each["kind"] in ROUTES])
    for word in ("repository", "metrics", "8082"):
        assert word not in text


def test_an_ingress_has_no_controllers_annotations() -> None:
    assert "annotations" not in one("Ingress", routed())["metadata"]


def test_annotations_of_ones_own_are_taken() -> None:
    annotations = {"nginx.ingress.kubernetes.io/proxy-body-size": "32m"}
    assert one("Ingress", routed(ingress={"annotations": annotations}))["metadata"]["annotations"] == annotations


def test_a_host_and_its_certificate() -> None:
    found = one("Ingress", routed(host="a.example.com", tls={"secretName": "cert"}))["spec"]
    assert found["rules"][0]["host"] == "a.example.com"
    assert found["tls"] == [{"secretName": "cert", "hosts": ["a.example.com"]}]


def test_any_host_where_none_is_said() -> None:
    found = one("Ingress", routed())["spec"]
    assert "host" not in found["rules"][0]
    assert not {"tls", "ingressClassName"} & set(found)


def test_the_class_that_is_said() -> None:
    assert one("Ingress", routed(ingress={"className": "traefik"}))["spec"]["ingressClassName"] == "traefik"


def test_grpc_has_a_host_name_for_each_model() -> None:
    ingress = of("Ingress", routed(grpc={"host": "MODEL.grpc.example.com"}))["cats-grpc"]
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "cats.grpc.example.com"
    assert rule["http"]["paths"][0]["backend"] == {"service": {"name": "cats-grpc", "port": {"number": 8081}}}


def test_grpc_over_the_gateway_api() -> None:
    routes = {**GATEWAY, "host": "example.com", "grpc": {"host": "MODEL.grpc.example.com"}}
    route = one("GRPCRoute", routed(**routes))["spec"]
    assert route["hostnames"] == ["cats.grpc.example.com"]
    (rule,) = route["rules"]
    assert rule["backendRefs"] == [{"name": "cats-grpc", "port": 8081}]
    methods = [match["method"] for match in rule["matches"]]
    assert {"service": "inference.GRPCInferenceService", "method": "ModelInfer"} in methods
    assert {"service": "grpc.health.v1.Health"} in methods


@pytest.mark.parametrize("kind", ["ingress", "gateway"])
def test_the_repository_is_not_routed_over_grpc(kind: str) -> None:
    """It is of the same service and port as inference, and RepositoryIndex asks for no token."""
    routes = {**GATEWAY, "class": kind, "host": "example.com", "grpc": {"host": "MODEL.grpc.example.com"}}
    text = str([each for each in routed(**routes) if each["kind"] in ROUTES])
    assert "inference.GRPCInferenceService" in text
    assert "Repository" not in text


def test_grpc_can_be_left_unrouted() -> None:
    documents = routed(grpc={"enabled": False, "host": "MODEL.grpc.example.com"})
    assert set(of("Ingress", documents)) == {"cats"}


def test_the_service_for_grpc_is_the_charts_own_and_says_h2c() -> None:
    service = of("Service", routed(grpc={"serviceAnnotations": {"a": "b"}}))["cats-grpc"]
    assert service["metadata"]["annotations"]["a"] == "b"
    assert service["spec"]["selector"] == {"app": "isvc.cats-predictor"}
    assert service["spec"]["ports"][0]["appProtocol"] == "kubernetes.io/h2c"


@pytest.mark.parametrize("kind", ["ingress", "gateway"])
def test_models_that_are_not_public_have_no_route(kind: str) -> None:
    documents = routed(**{**GATEWAY, "class": kind, "public": False, "grpc": {"host": "MODEL.a"}})
    assert [each for each in documents if each["kind"] in ROUTES] == []
    assert set(of("InferenceService", documents)) == {"cats"}


def test_the_gateways_timeout() -> None:
    routes = {**GATEWAY, "gateway": {**GATEWAY["gateway"], "timeoutSeconds": 30}}
    (rule,) = one("HTTPRoute", routed(**routes))["spec"]["rules"]
    assert rule["timeouts"] == {"request": "30s"}
    (rule,) = one("HTTPRoute", routed(**GATEWAY))["spec"]["rules"]
    assert "timeouts" not in rule


def callers(documents: list[Document], port: int) -> list[str]:
    """Return who may call a port: namespaces, and `release` for the release's own callers."""
    found = []
    for rule in one("NetworkPolicy", documents)["spec"]["ingress"]:
        if port in [each["port"] for each in rule["ports"]]:
            for source in rule["from"]:
                labels = next(iter(source.values()))["matchLabels"]
                found.append(labels.get("kubernetes.io/metadata.name", "release"))
    return sorted(found)


def test_only_routes_and_the_release_may_call_a_model() -> None:
    documents = render_model({}, networkPolicy={"enabled": True})
    assert callers(documents, 8080) == callers(documents, 8081) == ["release", "traefik"]
    assert callers(documents, 8082) == ["monitoring"]


def test_models_that_are_not_public_are_closed_to_the_routes_too() -> None:
    documents = render_model(
        {}, networkPolicy={"enabled": True, "clientNamespaces": ["shop"]}, routes={"public": False}
    )
    assert callers(documents, 8080) == ["release", "shop"]


def test_the_policy_is_about_the_models_pods() -> None:
    policy = one("NetworkPolicy", render_model({}, networkPolicy={"enabled": True}))["spec"]
    assert policy["podSelector"]["matchLabels"] == {"app": "isvc.cats-predictor"}


def test_prometheus_finds_the_models_by_their_labels() -> None:
    documents = render_model({}, podMonitor={"enabled": True, "labels": {"release": "prometheus"}})
    monitor = one("PodMonitor", documents)
    labels = one("InferenceService", documents)["metadata"]["labels"]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] == "metrics"
