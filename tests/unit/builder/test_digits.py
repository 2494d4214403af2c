import io

import numpy as np
from PIL import Image

from model_builder.digits import Split, encode_png, load_split, render


def test_split_holds_out_a_fifth_with_every_digit_in_its_share(split: Split) -> None:
    assert (len(split.train), len(split.held_out)) == (1437, 360)
    assert split.train.pictures.shape == (1437, 64, 64)
    assert split.train.pictures.dtype == np.uint8
    for digit in range(10):
        share = (split.held_out.labels == digit).sum() / (
            (split.held_out.labels == digit).sum() + (split.train.labels == digit).sum()
        )
        assert 0.19 < share < 0.21


def test_a_seed_always_gives_the_same_split_and_another_seed_another(split: Split) -> None:
    again, other = load_split(0), load_split(1)
    np.testing.assert_array_equal(again.held_out.pictures, split.held_out.pictures)
    assert not np.array_equal(other.held_out.labels, split.held_out.labels)


def test_no_picture_is_in_both_parts(split: Split) -> None:
    train = {picture.tobytes() for picture in split.train.pictures}
    assert not any(picture.tobytes() in train for picture in split.held_out.pictures)


def test_render_maps_0_to_black_and_16_to_white() -> None:
    assert render(np.zeros((8, 8))).max() == 0
    assert render(np.full((8, 8), 16.0)).min() == 255


def test_png_holds_the_same_grey_pixels(split: Split) -> None:
    picture = split.held_out.pictures[0]
    image = Image.open(io.BytesIO(encode_png(picture)))
    assert (image.format, image.mode) == ("PNG", "L")
    np.testing.assert_array_equal(np.asarray(image), picture)
