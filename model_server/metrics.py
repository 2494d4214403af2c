"""What is measured while serving, as Prometheus instruments; units stand in the names, every one has a model label.

https://prometheus.io/docs/practices/naming
"""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.requests import ClientDisconnect

from model_server.errors import ServingError

STAGES = ("decode", "imaging", "queue", "inference", "encode")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
IMAGES = (1, 2, 4, 8, 16, 32, 64)
BYTES = tuple(1 << power for power in range(10, 26, 2))
PIXELS = tuple(10_000 * 4**power for power in range(7))


@dataclass
class Asked:
    """A request that is being counted; ``model`` is filled in once it is known to be one that is served."""

    model: str = ""


class ModelMetrics:
    """One model's instruments.

    ``stages`` are seconds: ``decode`` and ``encode`` of a request's protocol, ``imaging`` of an image, ``queue`` of an
    image from when it is decoded until the engine takes it, ``inference`` of a batch.
    """

    def __init__(self, metrics: "Metrics", model: str) -> None:
        self.stages = {stage: metrics.stage_seconds.labels(model, stage) for stage in STAGES}
        self.batch_images = metrics.batch_images.labels(model)
        self.queue_images = metrics.queue_images.labels(model)
        self.image_bytes = metrics.image_bytes.labels(model)
        self.image_pixels = metrics.image_pixels.labels(model)

    def time(self, stage: str) -> AbstractContextManager[object]:
        """Measure a stage for as long as the context lasts."""
        timer: AbstractContextManager[object] = self.stages[stage].time()
        return timer


class Metrics:
    """Every instrument, in a registry of its own: kserve fills the usual one with what it would measure itself."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        model = ["model"]
        self._requests = Counter(
            "vision_requests_total",
            "Requests for labels, by the door they came through and by how they ended.",
            [*model, "door", "outcome"],
            registry=self.registry,
        )
        self._request_seconds = self._histogram(
            "vision_request_seconds", "From a request's headers to its answer.", [*model, "door"], SECONDS
        )
        self.stage_seconds = self._histogram(
            "vision_stage_seconds",
            "Time in a stage: decode and encode a request, imaging and queue an image, inference a batch.",
            [*model, "stage"],
            SECONDS,
        )
        self.batch_images = self._histogram("vision_batch_images", "Images in a call of the engine.", model, IMAGES)
        self.queue_images = Gauge(
            "vision_queue_images",
            "Images admitted and not answered yet: decoded, waiting or in the engine; --queue-size bounds it.",
            model,
            registry=self.registry,
        )
        self.image_bytes = self._histogram("vision_image_bytes", "Size of an encoded image.", model, BYTES)
        self.image_pixels = self._histogram(
            "vision_image_pixels", "Width times height of an image as it came.", model, PIXELS
        )
        ProcessCollector(registry=self.registry)

    def of_model(self, name: str) -> ModelMetrics:
        """Return a model's instruments; asking again gives the same ones."""
        return ModelMetrics(self, name)

    @contextmanager
    def request(self, door: str) -> Iterator[Asked]:
        """Count a request, whatever becomes of it; an error passes through."""
        asked, begin, outcome = Asked(), time.perf_counter(), "ok"
        try:
            yield asked
        except ServingError as error:
            outcome = _snake_case(type(error).__name__)
            raise
        except (ClientDisconnect, asyncio.CancelledError):
            outcome = "client_gone"
            raise
        except BaseException:
            outcome = "serving_error"
            raise
        finally:
            self._requests.labels(asked.model, door, outcome).inc()
            self._request_seconds.labels(asked.model, door).observe(time.perf_counter() - begin)

    def _histogram(self, name: str, help_text: str, labels: list[str], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, help_text, labels, buckets=buckets, registry=self.registry)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
