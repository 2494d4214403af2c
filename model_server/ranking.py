"""Logits → labels, best first."""

from collections.abc import Sequence

import numpy as np

from model_server.errors import BundleError
from model_server.manifest import Variant
from model_server.types import Answer, Float32Array, Int64Array


def check_logits(logits: Float32Array, shape: tuple[int, int], variant: Variant, where: str) -> None:
    """Refuse what a variant says of images where it can't be ranked; ``shape`` is ``(images, labels)``.

    Raises:
        BundleError: the shape is another, or a logit is not finite; the message begins with ``where``.
    """
    if logits.shape != shape:
        raise BundleError(
            f"{where}: gives logits of shape {logits.shape} for {shape[0]} images; "
            f"with {shape[1]} labels in the manifest it must be {shape}"
        )
    if not np.isfinite(logits).all():
        hint = ""
        if variant.precision == "float16":
            hint = "; export it with --gpu-precision bfloat16, or serve another --precision"
        raise BundleError(f"{where}: gives logits that are not finite in {variant.precision}{hint}")


def rank(logits: Float32Array, labels: Sequence[str], k: int, *, with_logits: bool = False) -> Answer:
    """Return the ``k`` most probable classes of each row.

    Args:
        logits: FP32 ``[N, classes]``.
        labels: one for each class, in the order of the logits.
        k: at most the number of classes.
        with_logits: hand the logits on in the answer.

    Probabilities are the softmax over all classes, computed from the row's maximum down so that it can't overflow.
    Of equal logits the class with the lower number comes first.
    """
    order = np.stack([_best(row, k) for row in logits])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    return Answer(
        labels=[[labels[index] for index in row] for row in order],
        probabilities=probabilities[np.arange(len(order))[:, np.newaxis], order],
        classes=order.astype(np.int64),
        logits=logits if with_logits else None,
    )


def _best(row: Float32Array, k: int) -> Int64Array:
    """Return the numbers of the ``k`` largest, the largest first; only those are sorted."""
    least = np.partition(row, -k)[-k]
    among = np.flatnonzero(row >= least)
    return among[np.argsort(-row[among], kind="stable")[:k]]
