"""Names that YAML, Helm or another object could take for something else."""

import pytest
from rendering import BAKED, NAMESPACE, Document, container, of, one, render, render_model

LONGEST_RELEASE = "r" * 53
LONGEST_MODEL = "m" * 48


def keys(documents: list[Document]) -> list[tuple[str, str]]:
    return [(each["kind"], each["metadata"]["name"]) for each in documents]


@pytest.mark.parametrize("name", ["true", "null", "y", "on", "no", "e1", "test", "catalogue", "models", LONGEST_MODEL])
def test_a_model_may_be_called_anything_that_kserve_takes(name: str) -> None:
    documents = render(
        values={"models": {name: BAKED}, "routes": {"grpc": {"host": "MODEL.a"}}, "networkPolicy": {"enabled": True}}
    )
    service = one("InferenceService", documents)
    assert service["metadata"]["name"] == name
    assert service["metadata"]["labels"]["app.kubernetes.io/name"] == name
    assert len(keys(documents)) == len(set(keys(documents)))


@pytest.mark.parametrize("release", ["1", "true", "1e3", "a.b", LONGEST_RELEASE])
def test_a_release_may_be_called_anything_that_helm_takes(release: str) -> None:
    """But for the frontend, it must be what a Service may be called."""
    page = {"enabled": release in ("true", LONGEST_RELEASE)}
    values = {"models": {"cats": BAKED}, "podMonitor": {"enabled": True}, "frontend": page}
    documents = render(values=values, release=release)
    for document in documents:
        assert document["metadata"]["labels"]["app.kubernetes.io/instance"] == release
        assert len(document["metadata"]["name"]) <= 63


def test_releases_in_one_namespace_share_no_name() -> None:
    first = render(values={"models": {"cats": BAKED}}, release="a")
    second = render(values={"models": {"dogs": BAKED}}, release="b")
    assert not set(keys(first)) & set(keys(second))


def test_names_that_are_numbers_stay_names() -> None:
    documents = render_model(
        {"image": {"pullSecrets": ["123"]}, "scheduling": {"priorityClassName": "1e3"}},
        networkPolicy={"enabled": True, "clientNamespaces": ["42"]},
        serviceAccount={"name": "7", "secrets": ["8"]},
        routes={"ingress": {"className": "9"}, "tls": {"secretName": "10"}},
    )
    predictor = one("InferenceService", documents)["spec"]["predictor"]
    assert predictor["imagePullSecrets"] == [{"name": "123"}]
    assert predictor["priorityClassName"] == "1e3"
    assert predictor["serviceAccountName"] == one("ServiceAccount", documents)["metadata"]["name"] == "7"
    assert "'kubernetes.io/metadata.name': '42'" in str(one("NetworkPolicy", documents))
    assert one("Ingress", documents)["spec"]["ingressClassName"] == "9"


def test_braces_in_a_value_are_no_template() -> None:
    text = "{{ .Values.models }} and {{ fail `no` }}"
    documents = render_model({"annotations": {"a": text}, "env": [{"name": "A", "value": text}]})
    assert one("InferenceService", documents)["metadata"]["annotations"]["a"] == text
    assert container(documents)["env"] == [{"name": "A", "value": text}]


def test_the_catalogue_names_the_releases_namespace() -> None:
    assert f"http://cats-predictor.{NAMESPACE}.svc" in str(of("ConfigMap", render_model({})))
