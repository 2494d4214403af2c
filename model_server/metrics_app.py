"""What Prometheus scrapes, as an HTTP app for a port of its own."""

import asyncio
from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

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


def build_metrics_app(registry: CollectorRegistry, repository: BundleRepository) -> Starlette:
    """Return the app; it writes the text in a thread, because a server of many models has much of it."""
    registry.register(ServedModels(repository))

    async def scrape(_: Request) -> Response:
        text = await asyncio.to_thread(generate_latest, registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/metrics", scrape)])
