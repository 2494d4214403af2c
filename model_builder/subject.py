"""A variant under measurement: the server's engine behind the server's imaging."""

import statistics
import time
from collections.abc import Iterable, Sequence

import numpy as np

from model_builder.variants import name_variant
from model_server.engine import load_engine
from model_server.errors import BundleError
from model_server.excerpt import condense
from model_server.imaging import Imaging
from model_server.manifest import Manifest, Variant
from model_server.ranking import check_logits
from model_server.types import Float32Array, UInt8Array

TIMED_RUNS, WARM_UPS = 30, 3


class Subject:
    """A variant, loaded, that has answered a grey image.

    Args:
        manifest: the bundle's.
        variant: what is measured.
        contents: of its files, in their order.
        threads: for its engine.

    Raises:
        BundleError: the engine refuses the files or fails on an image.
    """

    def __init__(self, manifest: Manifest, variant: Variant, contents: Sequence[bytes], threads: int) -> None:
        self.variant = variant
        self.bytes = sum(map(len, contents))
        self.name = name_variant(variant)
        self.imaging = Imaging(manifest.preprocessing)
        self._class_count = len(manifest.labels)
        self._engine = load_engine(manifest, variant, contents, threads)
        self.infer(np.full((1, self.imaging.size, self.imaging.size, 3), 128, np.uint8))

    def infer(self, pixels: UInt8Array) -> Float32Array:
        """Return logits, FP32 ``[N, classes]``, for UINT8 ``[N, S, S, 3]``.

        Raises:
            BundleError: there is not a finite one for every label.
        """
        files = ", ".join(file.path for file in self.variant.files)
        try:
            logits = self._engine.infer(pixels if self.variant.inputs == "pixels" else self.imaging.normalise(pixels))
        except Exception as error:  # every engine has exceptions of its own
            raise BundleError(
                f"{files}: fails on images of crop = {self.imaging.size} pixels: {condense(error)}"
            ) from error
        check_logits(logits, (len(pixels), self._class_count), self.variant, files)
        return logits


def infer_pictures(subjects: Sequence[Subject], batches: Iterable[UInt8Array]) -> list[Float32Array]:
    """Return each subject's logits, FP32 ``[N, classes]``, for N pictures in batches of UINT8 ``[n, S, S, 3]``.

    Raises:
        BundleError: a subject fails.
    """
    logits: list[list[Float32Array]] = [[] for _ in subjects]
    for pixels in batches:
        for subject, of_subject in zip(subjects, logits, strict=True):
            of_subject.append(subject.infer(pixels))
    return [np.concatenate(of_subject) for of_subject in logits]


def time_subjects(subjects: Sequence[Subject], pixels: UInt8Array) -> list[float]:
    """Return each subject's median milliseconds from one image's pixels, UINT8 ``[1, S, S, 3]``, to its logits.

    They take turns, so that whatever else the machine does slows all of them alike.
    """
    seconds: list[list[float]] = [[] for _ in subjects]
    for _ in range(WARM_UPS + TIMED_RUNS):
        for subject, of_subject in zip(subjects, seconds, strict=True):
            begin = time.perf_counter()
            subject.infer(pixels)
            of_subject.append(time.perf_counter() - begin)
    return [1e3 * statistics.median(of_subject[WARM_UPS:]) for of_subject in seconds]
