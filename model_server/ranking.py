"""Logits → labels, best first."""

from collections.abc import Sequence

import numpy as np

from model_server.types import Answer, Float32Array


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
    order = np.argsort(-logits, axis=1, kind="stable")[:, :k]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    return Answer(
        labels=[[labels[index] for index in row] for row in order],
        probabilities=np.take_along_axis(probabilities, order, axis=1),
        classes=order.astype(np.int64),
        logits=logits if with_logits else None,
    )
