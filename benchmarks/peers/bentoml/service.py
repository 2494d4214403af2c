"""A service, as BentoML's documentation has it: a batchable method takes a list of images."""

import bentoml
from PIL.Image import Image

from benchmarks.peers.resnet import BATCH, WORKERS, Classifier, decode

MAX_LATENCY_MS = 60_000
"""BentoML refuses a request that it expects to take longer: here it may take its time."""
BATCHING = {"batchable": True, "max_batch_size": BATCH, "max_latency_ms": MAX_LATENCY_MS} if BATCH > 1 else {}


@bentoml.service(workers=WORKERS, traffic={"timeout": MAX_LATENCY_MS // 1000}, logging={"access": {"enabled": False}})
class ResNet:
    """A form with one image or more, a list of their classes."""

    def __init__(self) -> None:
        self._classifier = Classifier()

    @bentoml.api(**BATCHING)
    def classify(self, images: list[Image]) -> list[int]:
        """Return the class of each image."""
        return self._classifier.classify([decode(image) for image in images])
