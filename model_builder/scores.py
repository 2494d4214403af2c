"""Logits against the truth and against other logits."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from sklearn.metrics import confusion_matrix

from model_server.ranking import rank
from model_server.types import Float32Array, Int64Array

CONFIDENCE = 0.95
TOP_K = 5


@dataclass(frozen=True, slots=True)
class Share:
    """``right`` of ``images``; ``low`` and ``high`` bound the true share, from 0 to 1, with 95% confidence."""

    right: int
    images: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself."""
        return self.right / self.images


@dataclass(frozen=True, slots=True)
class Scores:
    """How a variant does on labelled pictures.

    ``top_5`` is None for five classes or fewer, of which every answer names all. ``confusion`` is INT64
    ``[classes, classes]``: the rows are the truth, the columns what was said.
    """

    top_1: Share
    top_5: Share | None
    confusion: Int64Array


def score(logits: Float32Array, truth: Int64Array) -> Scores:
    """Return the scores of logits, FP32 ``[N, classes]``, by the right classes, INT64 ``[N]``."""
    class_count = logits.shape[1]
    ranked = rank(logits, [""] * class_count, min(TOP_K, class_count)).classes
    hits = ranked == truth[:, np.newaxis]
    confusion = confusion_matrix(truth, ranked[:, 0], labels=np.arange(class_count))
    top_5 = count_share(hits.any(axis=1)) if class_count > TOP_K else None
    return Scores(count_share(hits[:, 0]), top_5, np.asarray(confusion, np.int64))


def count_share(hits: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> Share:
    """Return how many of N are true, and Wilson's interval.

    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927: unlike the normal
    approximation it stays within 0 and 1, and says something where all are right.
    """
    count, right = len(hits), int(hits.sum())
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share, weight = right / count, z * z / count
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
    # rounding must not put the share itself outside
    return Share(right, count, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def agreement(logits: Float32Array, others: Float32Array) -> float:
    """Return the share of N images of which both FP32 ``[N, classes]`` name the same class, 0 to 1."""
    return float((logits.argmax(axis=1) == others.argmax(axis=1)).mean())


def recall(confusion: Int64Array) -> dict[int, Share]:
    """Return for each class that occurs how often it was recognised."""
    return {
        int(number): count_share(np.arange(confusion[number].sum()) < confusion[number, number])
        for number in np.flatnonzero(confusion.sum(axis=1))
    }


def worst_pairs(confusion: Int64Array, most: int) -> list[tuple[int, int, int]]:
    """Return ``(truth, said, images)`` of the pairs that are mistaken most often, the worst first."""
    mistakes = confusion.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(mistakes)) for place in order]
    return [(truth, said, int(mistakes[truth, said])) for truth, said in pairs if mistakes[truth, said]]
