import pytest
import torch

from model_server.engine.networks import OWN, build_network, fill_network


@pytest.mark.parametrize("architecture", OWN)
def test_network_is_narrow_and_gives_a_logit_for_every_class(architecture: str) -> None:
    network = build_network(architecture, 7)
    assert sum(parameter.numel() for parameter in network.parameters()) <= 200_000
    with torch.inference_mode():
        assert network(torch.zeros(3, 3, 32, 32)).shape == (3, 7)


@pytest.mark.parametrize("architecture", ["digits-resnet", "mnasnet0_5", "shufflenet_v2_x0_5"])
def test_weights_without_torchs_remarks_fill_a_network(architecture: str) -> None:
    network, other = build_network(architecture, 3), build_network(architecture, 3)
    fill_network(other, dict(network.state_dict()))
    for name, tensor in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)


def test_weights_that_are_missing_or_strange_are_refused() -> None:
    network = build_network("digits-resnet", 3)
    state = dict(network.state_dict())
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\) in state_dict: \"extra\""):
        fill_network(network, state | {"extra": torch.zeros(1)})
    del state["head.bias"]
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: \"head.bias\""):
        fill_network(network, state)


@pytest.mark.parametrize("architecture", ["vit_b_32", "maxvit_t"])
def test_a_network_that_learns_positions_is_built_for_a_size(architecture: str) -> None:
    with torch.inference_mode():
        assert build_network(architecture, 3, 64)(torch.zeros(1, 3, 64, 64)).shape == (1, 3)
        with pytest.raises((AssertionError, RuntimeError)):
            build_network(architecture, 3)(torch.zeros(1, 3, 64, 64))
