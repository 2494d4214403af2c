"""What the platform is made of, and how each part shows that it works."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.api import Api, Object
from scripts.charts import Chart
from scripts.versions import ROOT, Versions

VALUES = ROOT / "scripts" / "values"


@dataclass(frozen=True)
class Component:
    """A part of the platform.

    Args:
        name: As ``--with``, ``--without`` and ``--values`` name it.
        charts: Its charts, by the pins that they take: the release, the source's pin, the version's pin, the namespace.
        manifest: The pin of a manifest that is applied instead.
        missing: Says what of it is not there or not ready; None when it works.
        optional: Whether it is left out unless it is asked for.
    """

    name: str
    missing: Callable[[Api], str | None]
    charts: tuple[tuple[str, str, str, str], ...] = ()
    manifest: str | None = None
    optional: bool = False

    def fill(self, versions: Versions, more: list[Path]) -> list[Chart]:
        """Return its charts with their sources, versions and values; ``more`` values win over the project's own."""
        charts = []
        for release, source, version, namespace in self.charts:
            own = VALUES / f"{release}.yaml"
            values = [own] if own.is_file() else []
            if release == self.charts[-1][0]:
                values += more
            charts.append(Chart(release, versions[source], versions[version], namespace, tuple(values)))
        return charts


def deployed(namespace: str, name: str) -> Callable[[Api], str | None]:
    """Return a check that a Deployment is available."""

    def missing(api: Api) -> str | None:
        found = api.get("apps/v1", "Deployment", name, namespace)
        if found is None:
            return f"there is no Deployment {name} in namespace {namespace}"
        return None if has_condition(found, "Available") else f"the Deployment {name} is not available"

    return missing


def has_condition(thing: Object, name: str) -> bool:
    """Tell whether a condition of an object's status is true."""
    conditions = (thing.get("status") or {}).get("conditions") or []
    return any(each["type"] == name and each["status"] == "True" for each in conditions)


def _kserve_missing(api: Api) -> str | None:
    kind = "inferenceservices.serving.kserve.io"
    if api.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", kind) is None:
        return "the API has no InferenceService"
    return deployed("kserve", "kserve-controller-manager")(api)


def _metrics_missing(api: Api) -> str | None:
    found = api.get("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io")
    if found is None:
        return "there is no API metrics.k8s.io"
    return None if has_condition(found, "Available") else "the API metrics.k8s.io is not available"


def _ingress_missing(api: Api) -> str | None:
    found = api.list("networking.k8s.io/v1", "IngressClass")
    return None if found else "there is no IngressClass"


def crd(name: str) -> Callable[[Api], str | None]:
    """Return a check that the API has a kind, by the name of its definition."""

    def missing(api: Api) -> str | None:
        there = api.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", name)
        return None if there else f"the API has no {name}"

    return missing


COMPONENTS = (
    Component(
        "cert-manager",
        lambda _: None,  # KServe's webhooks show whether they have a certificate, whoever made it
        (("cert-manager", "CERT_MANAGER_CHART", "CERT_MANAGER_VERSION", "cert-manager"),),
    ),
    Component(
        "kserve",
        _kserve_missing,
        (
            ("kserve-crd", "KSERVE_CRD_CHART", "KSERVE_VERSION", "kserve"),
            ("kserve", "KSERVE_CHART", "KSERVE_VERSION", "kserve"),
        ),
    ),
    Component(
        "metrics-server",
        _metrics_missing,
        (("metrics-server", "METRICS_SERVER_CHART", "METRICS_SERVER_VERSION", "kube-system"),),
    ),
    Component(
        "gateway-api", crd("httproutes.gateway.networking.k8s.io"), manifest="GATEWAY_API_MANIFEST", optional=True
    ),
    Component("traefik", _ingress_missing, (("traefik", "TRAEFIK_CHART", "TRAEFIK_VERSION", "traefik"),)),
    Component("keda", crd("scaledobjects.keda.sh"), (("keda", "KEDA_CHART", "KEDA_VERSION", "keda"),), optional=True),
    Component(
        "prometheus",
        crd("podmonitors.monitoring.coreos.com"),
        (("prometheus", "PROMETHEUS_CHART", "PROMETHEUS_VERSION", "monitoring"),),
        optional=True,
    ),
)
"""In the order in which they are installed: KServe needs cert-manager's, Traefik finds the Gateway API there."""
