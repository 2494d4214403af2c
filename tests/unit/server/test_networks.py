import pytest
import torch

from model_server.engine.networks import OWN, build_network


@pytest.mark.parametrize("architecture", OWN)
def test_network_is_narrow_and_gives_a_logit_for_every_class(architecture: str) -> None:
    network = build_network(architecture, 7)
    assert sum(parameter.numel() for parameter in network.parameters()) <= 200_000
    with torch.inference_mode():
        assert network(torch.zeros(3, 3, 32, 32)).shape == (3, 7)
