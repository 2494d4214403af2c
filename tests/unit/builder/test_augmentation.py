import numpy as np
import pytest

from model_builder import augmentation
from model_builder.augmentation import augment


def _bar() -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    picture = np.zeros((64, 64), np.uint8)
    picture[20:44, 29:35] = 255
    return picture


def test_the_same_generator_state_gives_the_same_picture() -> None:
    one, other = augment(_bar(), np.random.default_rng(5)), augment(_bar(), np.random.default_rng(5))
    np.testing.assert_array_equal(one, other)


def test_a_digit_stays_inside_and_keeps_its_ink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmentation, "INVERTED_SHARE", 0.0)
    random = np.random.default_rng(0)
    for _ in range(50):
        moved = augment(_bar(), random)
        assert moved.shape == (64, 64)
        assert 0.6**2 - 0.05 < moved.sum(dtype=np.int64) / _bar().sum(dtype=np.int64) < 1.1**2 + 0.05
        assert moved[[0, -1]].max() == 0
        assert moved[:, [0, -1]].max() == 0


def test_nothing_moves_when_no_limit_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"MAX_DEGREES": 0.0, "MAX_SHIFT": 0.0, "MIN_SCALE": 1.0, "MAX_SCALE": 1.0, "INVERTED_SHARE": 0.0}
    for limit, value in limits.items():
        monkeypatch.setattr(augmentation, limit, value)
    np.testing.assert_array_equal(augment(_bar(), np.random.default_rng(0)), _bar())


def test_inversion_is_black_on_white(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmentation, "INVERTED_SHARE", 1.0)
    assert augment(_bar(), np.random.default_rng(0))[0, 0] == 255
