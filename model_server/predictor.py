"""A model as KServe knows it, thin over a classifier."""

from typing import Any

from kserve import Model

from model_server.bundle import Bundle
from model_server.classifier import Classifier
from model_server.errors import NotReady
from model_server.manifest import Variant
from model_server.types import Answer, Query, Signature, TensorSpec


class VisionModel(Model):
    """One bundle served under one name; registered at once, ready when it has a warm classifier.

    KServe's steps keep their meaning: ``predict`` knows the domain alone, a door before it turns a protocol into a
    query and an answer back.
    """

    def __init__(self, name: str, bundle: Bundle, variant: Variant, *, max_images: int) -> None:
        super().__init__(name)
        self.bundle = bundle
        self.variant = variant
        self.samples = [bundle.read(sample) for sample in bundle.manifest.samples]
        self.signature = describe_signature(name, bundle, variant, max_images)
        self._classifier: Classifier | None = None

    def start(self) -> None:
        """Leave ``ready`` alone: KServe's own would set it before there is anything to answer with."""

    def load(self) -> bool:
        """Tell whether there is something to answer with; the repository is what loads."""
        return self._classifier is not None

    async def start_engine(self) -> None:
        """Leave ``ready`` alone, as ``start`` does."""

    async def serve(self, classifier: Classifier) -> None:
        """Warm the classifier up, then answer with it."""
        await classifier.warm_up()
        self._classifier = classifier
        self.ready = True

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
