"""Image bytes, pixels or tensors → labels: imaging, batching, engine and ranking, composed. Knows no protocol."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

import numpy as np

from model_server.batching import Batcher
from model_server.bundle import Bundle
from model_server.errors import BundleError, InvalidInput, too_many_images
from model_server.excerpt import condense
from model_server.imaging import Imaging
from model_server.manifest import Variant
from model_server.metrics import ModelMetrics
from model_server.ranking import check_logits, rank
from model_server.types import Answer, Content, Pixels, Query, Rows, Tensor, UInt8Array


class Classifier:
    """One variant of one model, ready to be asked.

    Args:
        bundle, variant: what is served.
        imaging, batcher: its preprocessing, and the queue before its engine.
        metrics: what is told of images.
        pool: where images are decoded.
        max_images: images in one request.
        default_timeout_seconds, default_top_k: where a query leaves them open.
        clock: the batcher's clock.
    """

    def __init__(
        self,
        bundle: Bundle,
        variant: Variant,
        *,
        imaging: Imaging,
        batcher: Batcher,
        metrics: ModelMetrics,
        pool: Executor,
        max_images: int,
        default_timeout_seconds: float,
        default_top_k: int = 5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bundle = bundle
        self.variant = variant
        self.max_images = max_images
        self._imaging = imaging
        self._batcher = batcher
        self._metrics = metrics
        self._pool = pool
        self._default_timeout_seconds = default_timeout_seconds
        self._default_top_k = default_top_k
        self._clock = clock

    async def warm_up(self) -> None:
        """Run the engine on a grey image until it is ready to answer at full speed.

        Raises:
            BundleError: it does not give a finite logit for each label, for one image and for a batch.
        """
        size = self._imaging.size
        grey = self._row(np.full((size, size, 3), 128, np.uint8))
        where = f"{self.bundle.folder}: {', '.join(file.path for file in self.variant.files)}"
        try:
            logits = await self._batcher.warm_up(grey[np.newaxis])
        except Exception as error:
            raise BundleError(f"{where}: fails on an image of crop = {size} pixels: {condense(error)}") from error
        for images, found in logits.items():
            check_logits(found, (images, len(self.bundle.manifest.labels)), self.variant, where)

    async def classify(self, query: Query) -> Answer:
        """Return the labels for every image of the query.

        Raises:
            InvalidInput: an image or a tensor that can't be read; the message says which one and why.
            TooLarge: more images than ``max_images``.
            QueueFull, DeadlineUnmet: not now.
            ServingError: the engine failed.
        """
        labels = self.bundle.manifest.labels
        count = len(query.content)
        if count > self.max_images:
            raise too_many_images(f"{count} images in one request", self.max_images)
        top_k = min(self._default_top_k, len(labels)) if query.top_k is None else query.top_k
        timeout = self._default_timeout_seconds if query.timeout_seconds is None else query.timeout_seconds
        with self._batcher.admit(count, self._clock() + timeout) as place:
            logits = await place.infer(await self._prepare(query.content))
        if not np.isfinite(logits).all():
            raise InvalidInput("the model gives no finite answer to this input; its values are too large")
        return rank(logits, labels, top_k, with_logits=query.with_logits)

    async def _prepare(self, content: Content) -> list[Rows]:
        """Return a row for the engine for each image; what takes time is done in the pool."""
        if isinstance(content, Tensor):
            return list(content.values)
        images: Sequence[bytes | UInt8Array] = list(content.values) if isinstance(content, Pixels) else content.files
        loop = asyncio.get_running_loop()
        if len(images) == 1:
            if self._imaging.is_small(images[0]):
                return [self._prepare_image(images[0])]
            return [await loop.run_in_executor(self._pool, self._prepare_image, images[0])]
        preparing = [loop.run_in_executor(self._pool, self._prepare_image, image) for image in images]
        rows: list[Rows] = []
        for index, row in enumerate(await asyncio.gather(*preparing, return_exceptions=True)):
            if isinstance(row, InvalidInput):
                raise InvalidInput(f"image {index + 1} of {len(content)}: {row.message}") from row
            if isinstance(row, BaseException):
                raise row
            rows.append(row)
        return rows

    def _prepare_image(self, image: bytes | UInt8Array) -> Rows:
        with self._metrics.time("imaging"):
            if not isinstance(image, bytes):
                return self._row(self._imaging.fit(image))
            self._metrics.image_bytes.observe(len(image))
            return self._row(self._imaging.decode(image))

    def _row(self, pixels: UInt8Array) -> Rows:
        return pixels if self.variant.inputs == "pixels" else self._imaging.normalise(pixels[np.newaxis])[0]

    def close(self) -> None:
        """End the engine's thread after the batch it is at."""
        self._batcher.close()
