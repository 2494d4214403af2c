import numpy as np
import pytest
from scipy.stats import binomtest

from model_builder.scores import agreement, count_share, recall, score, worst_pairs


@pytest.mark.parametrize(("right", "count"), [(0, 10), (10, 10), (7, 10), (359, 360), (1, 1), (3050, 4000)])
def test_wilsons_interval_is_scipys(right: int, count: int) -> None:
    share = count_share(np.arange(count) < right)
    wanted = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert share.value == right / count
    assert 0 <= share.low <= share.value <= share.high <= 1
    assert (share.low, share.high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_scores_of_six_classes() -> None:
    truth = np.array([0, 0, 1, 5])
    logits = np.array(
        [[9, 0, 0, 0, 0, 0], [1, 9, 0, 0, 0, 0], [0, 9, 0, 0, 0, 0], [9, 8, 7, 6, 5, 0]], np.float32
    )  # the last names the truth last of six
    scores = score(logits, truth)
    assert (scores.top_1.right, scores.top_1.images) == (2, 4)
    assert scores.top_5 is not None
    assert scores.top_5.right == 3
    assert scores.confusion.shape == (6, 6)
    assert np.argwhere(scores.confusion).tolist() == [[0, 0], [0, 1], [1, 1], [5, 0]]
    assert scores.confusion.sum() == 4


def test_five_classes_have_no_top_5() -> None:
    assert score(np.eye(5, dtype=np.float32), np.arange(5)).top_5 is None


def test_recall_is_of_the_classes_that_occur() -> None:
    shares = recall(np.array([[3, 1, 0], [0, 0, 0], [0, 2, 0]]))
    assert {number: (share.right, share.images) for number, share in shares.items()} == {0: (3, 4), 2: (0, 2)}


def test_worst_pairs_come_first_and_what_is_right_is_no_pair() -> None:
    confusion = np.array([[90, 1, 0], [0, 5, 4], [2, 0, 7]])
    assert worst_pairs(confusion, 2) == [(1, 2, 4), (2, 0, 2)]
    assert worst_pairs(np.diag([3, 4]), 5) == []


def test_agreement_looks_at_the_best_class_alone() -> None:
    assert agreement(np.array([[1, 2], [5, 3]], np.float32), np.array([[0, 9], [1, 2]], np.float32)) == 0.5
