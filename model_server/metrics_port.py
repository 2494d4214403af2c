"""The metrics port: what Prometheus scrapes, in a thread of its own, so that a slow scraper slows nobody."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from model_server.listener import cannot_listen
from model_server.repository import BundleRepository


class ServedModels(Collector):
    """What is served at the moment of a scrape: which revision of each model, and since when."""

    def __init__(self, repository: BundleRepository) -> None:
        self._repository = repository

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return a family with what each model is, always 1, and one with when it became ready."""
        labels = ["model", "revision", "architecture", "weights", "precision", "engine", "device"]
        info = GaugeMetricFamily("vision_model_info", "The revision and variant that serve.", labels=labels)
        ready = GaugeMetricFamily(
            "vision_model_ready_timestamp_seconds", "When the revision that serves became ready.", labels=["model"]
        )
        for model in self._repository.vision_models():
            manifest, variant = model.bundle.manifest, model.variant
            what = (manifest.architecture, manifest.weights, variant.precision, variant.engine, variant.device)
            info.add_metric([model.name, model.signature.version, *what], 1)
            if model.ready:
                ready.add_metric([model.name], model.ready_at)
        return [info, ready]


def open_metrics_port(registry: CollectorRegistry, host: str, port: int) -> int:
    """Answer scrapes, at any path, for the rest of the process; return the port, where 0 picked a free one.

    Raises:
        StartError: it can't be had.
    """
    try:
        server, _ = start_http_server(port, host, registry)
    except OSError as error:
        raise cannot_listen(host, port, "--metrics-port", error) from error
    return int(server.server_port)
