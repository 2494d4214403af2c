import pytest
import torch
from torch import nn

from model_builder.architecture import build, check_architecture, find_head, outline
from model_builder.errors import BuildError
from model_server.engine.networks import build_network

HEADS = {
    "alexnet": "classifier.6.weight",
    "digits-resnet": "head.weight",
    "googlenet": "fc.weight",
    "maxvit_t": "classifier.5.weight",
    "resnet152": "fc.weight",
    "squeezenet1_0": "classifier.1.weight",
    "swin_v2_b": "head.weight",
    "vit_h_14": "heads.head.weight",
}


def test_the_outline_is_that_of_the_network_for_every_architecture_that_is_quickly_built() -> None:
    for architecture in ("digits-resnet", "mnasnet0_5", "regnet_y_400mf", "shufflenet_v2_x0_5", "swin_t", "maxvit_t"):
        shapes = {name: tensor.shape for name, tensor in build_network(architecture, 7).state_dict().items()}
        assert {name: tensor.shape for name, tensor in outline(architecture, 7, 224).items()} == shapes


def test_a_head_is_found_and_the_largest_network_costs_no_memory() -> None:
    for architecture, head in HEADS.items():
        assert find_head(architecture) == head
    assert outline("regnet_y_128gf", 1000, 224)["trunk_output.block4.block4-0.proj.0.weight"].is_meta


def test_what_is_built_afterwards_has_memory() -> None:
    outline("resnet18", 3, 224)
    assert not torch.empty(1).is_meta
    assert not nn.Linear(1, 1).weight.is_meta


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("resnet51", r"did you mean resnet50, "),
        ("ResNet-50", r"did you mean .*resnet50"),
        ("zzz", r"there are alexnet, .*, wide_resnet50_2$"),
    ],
)
def test_a_name_that_nobody_has_gets_those_that_are_near(name: str, answer: str) -> None:
    with pytest.raises(BuildError, match=f"no architecture is called '{name}'; {answer}"):
        check_architecture(name)


def test_a_size_that_an_architecture_does_not_take_is_refused() -> None:
    for architecture in ("vit_b_16", "maxvit_t"):
        with pytest.raises(BuildError, match=f"{architecture} can't be built for images of 100 pixels: .*"):
            build(architecture, 3, 100)
