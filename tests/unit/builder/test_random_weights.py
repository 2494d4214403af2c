import pytest
import torch

from model_builder.checkpoint import encode
from model_builder.pictures import draw_pictures
from model_builder.preprocessing import find_preprocessing
from model_builder.random_weights import draw_model
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing

SMALL = Preprocessing(resize=64, crop=64, mean=[0.5] * 3, std=[0.5] * 3)


def test_a_seed_always_gives_the_same_weights_and_another_seed_others() -> None:
    drawn = [draw_model("shufflenet_v2_x0_5", seed=seed, classes=3, preprocessing=SMALL) for seed in (4, 4, 5)]
    first, again, other = (encode(model.network) for model in drawn)
    assert first == again
    assert first != other


def test_what_torch_draws_elsewhere_is_left_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    draw_model("digits-resnet", seed=4, classes=3, preprocessing=SMALL)
    assert torch.equal(torch.rand(3), expected)


def test_nobody_will_take_the_labels_for_real() -> None:
    model = draw_model("digits-resnet", seed=7, classes=3, preprocessing=SMALL)
    assert model.trained_on is None
    assert model.weights == "random-seed-7"
    assert model.labels == ["class 0", "class 1", "class 2"]
    assert model.labels_source.startswith("placeholders")


@pytest.mark.parametrize("architecture", ["vit_b_32", "convnext_tiny", "efficientnet_b0", "mnasnet0_5"])
def test_logits_depend_on_the_picture_and_are_of_the_order_of_one(architecture: str) -> None:
    preprocessing = find_preprocessing(architecture, None).model_copy(update={"resize": 64, "crop": 64})
    network = draw_model(architecture, seed=0, classes=10, preprocessing=preprocessing).network
    with torch.inference_mode():
        tensor = Imaging(preprocessing).normalise(draw_pictures(4, 64, seed=9))
        logits = network(torch.from_numpy(tensor))
    assert 0.1 < logits.abs().max() < 100
    assert logits.std(dim=0).mean() > 0.02
