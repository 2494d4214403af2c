"""A model as KServe knows it, thin over a classifier."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from model_server.bundle import Bundle
from model_server.classifier import Classifier
from model_server.errors import NotReady
from model_server.kserve_sdk import Model
from model_server.manifest import Variant
from model_server.metrics import ModelMetrics
from model_server.types import Answer, Query, Signature, TensorSpec


class VisionModel(Model):
    """One bundle served under one name; registered at once, ready when it has a warm classifier.

    KServe's steps keep their meaning: ``predict`` knows the domain alone, a door before it turns a protocol into a
    query and an answer back.
    """

    def __init__(self, name: str, bundle: Bundle, variant: Variant, metrics: ModelMetrics, *, max_images: int) -> None:
        super().__init__(name)
        self.bundle = bundle
        self.variant = variant
        self.metrics = metrics
        self.ready_at = 0.0
        self.samples = [bundle.read(sample) for sample in bundle.manifest.samples]
        self.signature = describe_signature(name, bundle, variant, max_images)
        self._classifier: Classifier | None = None
        self.borrowers = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def start(self) -> None:
        """Leave ``ready`` alone: KServe's own would set it before there is anything to answer with."""

    def load(self) -> bool:
        """Tell whether there is something to answer with; the repository is what loads."""
        return self._classifier is not None

    async def start_engine(self) -> None:
        """Leave ``ready`` alone, as ``start`` does."""

    def is_same(self, other: "VisionModel") -> bool:
        """Tell whether the other would answer just as this one: from the same revision and variant."""
        return (self.bundle.revision, self.variant) == (other.bundle.revision, other.variant)

    async def serve(self, classifier: Classifier) -> None:
        """Warm the classifier up, then answer with it.

        Raises:
            BundleError: it fails or answers nonsense; its thread has ended.
        """
        try:
            await classifier.warm_up()
        except BaseException:
            await asyncio.to_thread(classifier.close)
            raise
        self._classifier = classifier
        self.ready_at = time.time()
        self.ready = True

    @contextmanager
    def lend(self) -> Iterator[Self]:
        """Keep the model for one request, from before its body is read until its answer is made.

        It answers all that time, whatever is loaded or unloaded meanwhile.
        """
        self.borrowers += 1
        self._idle.clear()
        try:
            yield self
        finally:
            self.borrowers -= 1
            if not self.borrowers:
                self._idle.set()

    async def retire(self) -> None:
        """Be ready no more, wait until no request has the model, then free its engine."""
        self.ready = False
        await self._idle.wait()
        if self._classifier is not None:
            await asyncio.to_thread(self._classifier.close)
            self._classifier = None

    async def predict(self, payload: Query, *_: Any) -> Answer:
        """Label the images of a query.

        Raises:
            NotReady: the model is still loading.
            ServingError: see ``Classifier.classify``.
        """
        if self._classifier is None:
            raise NotReady(f"model {self.name!r} is loading; send the request again in a moment")
        return await self._classifier.classify(payload)

    def stop(self) -> None:
        """End the engine's thread, once it has nothing left to answer."""
        self.ready = False
        if self._classifier is not None:
            self._classifier.close()


def describe_signature(name: str, bundle: Bundle, variant: Variant, max_images: int) -> Signature:
    """Return what V2 clients may send to a variant and what they get."""
    size, classes = bundle.manifest.preprocessing.crop, len(bundle.manifest.labels)
    inputs = [TensorSpec("image", "BYTES", (-1,)), TensorSpec("pixels", "UINT8", (-1, -1, -1, 3))]
    if variant.inputs == "tensor":
        inputs.append(TensorSpec("tensor", "FP32", (-1, 3, size, size)))
    return Signature(
        name=name,
        version=bundle.version,
        platform=f"{variant.engine}_{variant.precision}",
        inputs=tuple(inputs),
        outputs=(
            TensorSpec("labels", "BYTES", (-1, -1)),
            TensorSpec("probabilities", "FP32", (-1, -1)),
            TensorSpec("classes", "INT64", (-1, -1)),
            TensorSpec("logits", "FP32", (-1, classes)),
        ),
        class_count=classes,
        max_images=max_images,
    )
