import numpy as np
import pytest
import torch

from model_builder.digits import LabelledPictures, Split
from model_builder.training import Course, infer, prepare, train_network
from model_server.imaging import Imaging


@pytest.fixture(scope="module")
def small(split: Split) -> Split:
    return Split(
        LabelledPictures(split.train.pictures[:128], split.train.labels[:128]),
        LabelledPictures(split.held_out.pictures[:32], split.held_out.labels[:32]),
    )


def test_the_same_seed_gives_the_same_network_and_another_seed_another(small: Split, imaging: Imaging) -> None:
    one, same, other = (
        infer(train_network("digits-resnet", small, imaging, Course(1, seed)), small.held_out.pictures, imaging)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_training_tells_every_epoch(small: Split, imaging: Imaging, capsys: pytest.CaptureFixture[str]) -> None:
    train_network("digits-resnet", small, imaging, Course(2, 0))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch  1 of 2", "epoch  2 of 2"]
    assert "loss" in lines[0]
    assert "held-out accuracy" in lines[0]


def test_training_leaves_torch_as_it_was(small: Split, imaging: Imaging) -> None:
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state()
    train_network("digits-resnet", small, imaging, Course(1, 0))
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before[:2]
    assert torch.equal(torch.get_rng_state(), before[2])


def test_prepare_is_what_the_server_does_with_the_png(split: Split, imaging: Imaging) -> None:
    from model_builder.digits import encode_png

    picture = split.held_out.pictures[0]
    served = imaging.normalise(imaging.decode(encode_png(picture))[np.newaxis])
    np.testing.assert_array_equal(prepare([picture], imaging), served)
