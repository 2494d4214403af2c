from pathlib import Path

import numpy as np
import pytest

from model_builder.album import Pictures
from model_builder.calibration import split_pictures
from model_builder.errors import BuildError


def _album(classes: list[int] | None, count: int = 0) -> Pictures:
    count = count or len(classes or [])
    files = tuple(Path(f"{number}.png") for number in range(count))
    return Pictures("--calibration", files, None if classes is None else np.array(classes, np.int64))


@pytest.mark.parametrize(("count", "most", "calibrating"), [(2, 300, 1), (3, 300, 1), (100, 300, 50), (1000, 300, 300)])
def test_at_most_half_and_at_most_as_many_as_asked_for_calibrate(count: int, most: int, calibrating: int) -> None:
    one, other = split_pictures(_album(None, count), most, seed=0)
    assert (len(one), len(other)) == (calibrating, count - calibrating)
    assert sorted([*one.files, *other.files]) == sorted(_album(None, count).files)


def test_every_class_gives_its_share(tmp_path: Path) -> None:
    one, other = split_pictures(_album([0] * 100 + [1] * 20 + [2] * 40), 40, seed=1)
    assert one.classes is not None
    assert other.classes is not None
    assert np.bincount(one.classes).tolist() == [25, 5, 10]
    assert np.bincount(other.classes).tolist() == [75, 15, 30]


def test_files_keep_their_classes() -> None:
    classes = [number % 3 for number in range(30)]
    for part in split_pictures(_album(classes), 300, seed=5):
        assert part.classes is not None
        assert [classes[int(file.stem)] for file in part.files] == part.classes.tolist()


def test_a_seed_always_gives_the_same_parts_and_another_seed_others() -> None:
    album = _album(None, 100)
    assert split_pictures(album, 30, 0) == split_pictures(album, 30, 0)
    assert split_pictures(album, 30, 0) != split_pictures(album, 30, 1)


def test_a_single_picture_is_refused() -> None:
    with pytest.raises(BuildError, match="--calibration: 1 picture; at least 2 are needed"):
        split_pictures(_album(None, 1), 300, seed=0)
