"""Variants measured with the code that serves them: the server's imaging and the server's engines."""

from collections.abc import Sequence

import numpy as np

from model_server.engine import load_engine
from model_server.imaging import Imaging
from model_server.manifest import Manifest, Variant
from model_server.types import Float32Array, Int64Array

THREADS = 1
BATCH_IMAGES = 32


def infer_logits(
    manifest: Manifest, variant: Variant, contents: Sequence[bytes], images: Sequence[bytes]
) -> Float32Array:
    """Return what a variant makes of N encoded images: logits, FP32 ``[N, classes]``.

    Args:
        manifest: the bundle's.
        variant: what is measured.
        contents: of its files, in their order.
        images: JPEG, PNG or WebP files.

    Raises:
        BundleError: the engine refuses the variant's files.
        InvalidInput: an image can't be read.
    """
    imaging = Imaging(manifest.preprocessing)
    engine = load_engine(manifest, variant, contents, THREADS)
    batches = []
    for start in range(0, len(images), BATCH_IMAGES):
        pixels = np.stack([imaging.decode(image) for image in images[start : start + BATCH_IMAGES]])
        batches.append(engine.infer(pixels if variant.inputs == "pixels" else imaging.normalise(pixels)))
    return np.concatenate(batches)


def measure(logits: Sequence[Float32Array], variants: Sequence[Variant], truth: Int64Array) -> list[Variant]:
    """Return the variants with ``accuracy`` and ``agreement`` filled in, rounded to four digits.

    Args:
        logits: of each variant, FP32 ``[N, classes]``, in the order of ``variants``.
        variants: among them one of float32, which agreement is measured against.
        truth: the right classes, INT64 ``[N]``.
    """
    named = [of_variant.argmax(axis=1) for of_variant in logits]
    reference = next(classes for classes, v in zip(named, variants, strict=True) if v.precision == "float32")
    return [
        variant.model_copy(update={"accuracy": _share(classes == truth), "agreement": _share(classes == reference)})
        for classes, variant in zip(named, variants, strict=True)
    ]


def _share(hits: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> float:
    return round(float(hits.mean()), 4)
