"""Ranking against sums done by hand."""

import math

import numpy as np
import pytest

from model_server.errors import BundleError
from model_server.manifest import BundleFile, Variant
from model_server.ranking import check_logits, rank

LABELS = ["cat", "dog", "cow"]


def test_probabilities_are_the_softmax_best_first() -> None:
    answer = rank(np.array([[0.0, math.log(6), math.log(3)]], np.float32), LABELS, 3)
    assert answer.labels == [["dog", "cow", "cat"]]
    assert answer.classes.tolist() == [[1, 2, 0]]
    np.testing.assert_allclose(answer.probabilities, [[0.6, 0.3, 0.1]], atol=1e-6)
    assert answer.logits is None


def test_only_k_are_given_but_all_classes_count() -> None:
    answer = rank(np.zeros((2, 3), np.float32), LABELS, 1)
    assert answer.labels == [["cat"], ["cat"]]
    np.testing.assert_allclose(answer.probabilities, [[1 / 3], [1 / 3]], atol=1e-6)


def test_of_equal_logits_the_class_with_the_lower_number_comes_first() -> None:
    logits = np.array([[1, 3, 2, 3, 2, 2], [0, 0, 0, 0, 0, 1]], np.float32)
    answer = rank(logits, list("abcdef"), 4)
    assert answer.classes.tolist() == [[1, 3, 2, 4], [5, 0, 1, 2]]


@pytest.mark.parametrize("k", [1, 2, 5, 40])
def test_the_k_best_are_the_first_of_all_sorted(k: int) -> None:
    logits = np.random.default_rng(0).integers(0, 9, (3, 40)).astype(np.float32)
    by_hand = [sorted(range(40), key=lambda index, row=row: (-row[index], index))[:k] for row in logits]
    assert rank(logits, [str(index) for index in range(40)], k).classes.tolist() == by_hand


def test_large_logits_do_not_overflow() -> None:
    answer = rank(np.array([[1e4, -1e4, 0]], np.float32), LABELS, 2)
    assert answer.probabilities.tolist() == [[1.0, 0.0]]


def test_logits_come_along_where_they_are_asked_for() -> None:
    logits = np.array([[1.0, 2.0, 3.0]], np.float32)
    assert rank(logits, LABELS, 1, with_logits=True).logits is logits


@pytest.mark.parametrize(
    ("precision", "hint"), [("float16", "--gpu-precision bfloat16"), ("float32", "not finite in float32")]
)
def test_logits_that_are_not_finite_say_what_would_be(precision: str, hint: str) -> None:
    files = [BundleFile(path="m.safetensors", sha256="0" * 64)]
    variant = Variant(precision=precision, engine="torch", device="cpu", inputs="pixels", files=files)  # type: ignore[arg-type]
    with pytest.raises(BundleError, match=hint):
        check_logits(np.full((1, 2), np.inf, np.float32), (1, 2), variant, "here")
