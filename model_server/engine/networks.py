"""The networks that torch can run, by the name that a bundle gives as its ``architecture``."""

from collections.abc import Callable, Mapping
from typing import Any

import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock


class DigitsResNet(nn.Module):
    """A ResNet of three blocks, 16, 32 and 64 channels wide, for pictures of 32 by 32 pixels.

    torchvision's BasicBlock (He et al., Deep Residual Learning for Image Recognition, 2015), under a stem that halves
    once, where ResNet-18's halves twice: there is less to throw away.
    """

    def __init__(self, class_count: int) -> None:
        super().__init__()
        convolution = nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)
        self.stem = nn.Sequential(convolution, nn.BatchNorm2d(16), nn.ReLU(inplace=True))
        self.stages = nn.Sequential(BasicBlock(16, 16), _halving_block(16, 32), _halving_block(32, 64))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(64, class_count)

    def forward(self, tensor: Tensor) -> Tensor:
        """Return logits, FP32 ``[N, classes]``, for normalised FP32 ``[N, 3, S, S]``."""
        features: Tensor = self.pool(self.stages(self.stem(tensor)))
        logits: Tensor = self.head(features.flatten(1))
        return logits


def _halving_block(before: int, after: int) -> nn.Module:
    shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride=2, bias=False), nn.BatchNorm2d(after))
    block: nn.Module = BasicBlock(before, after, stride=2, downsample=shortcut)
    return block


OWN: dict[str, Callable[[int], nn.Module]] = {"digits-resnet": DigitsResNet}
"""What torchvision does not have; each takes the number of classes."""


def list_architectures() -> list[str]:
    """Return every name that ``build_network`` takes: torchvision's classifiers, as it spells them, and our own."""
    return sorted([*torchvision.models.list_models(module=torchvision.models), *OWN])


def build_network(architecture: str, class_count: int, image_size: int = 224) -> nn.Module:
    """Return a network with random weights, in inference mode: FP32 ``[N, 3, S, S]`` to logits ``[N, classes]``.

    ``image_size`` is S; most networks take others too, but not those that learn where in the picture a patch is.

    Raises:
        LookupError: no architecture of that name.
    """
    if architecture in OWN:
        network = OWN[architecture](class_count)
    elif architecture in list_architectures():
        options = _options(architecture, image_size)
        network = torchvision.models.get_model(architecture, weights=None, num_classes=class_count, **options)
    else:
        raise LookupError(f"no architecture is called {architecture!r}")
    return network.eval()


def _options(architecture: str, image_size: int) -> dict[str, Any]:
    if architecture in ("googlenet", "inception_v3"):
        return {"aux_logits": False, "init_weights": False}  # heads that only training uses, and slow first weights
    if architecture.startswith("vit_"):
        return {"image_size": image_size}
    if architecture.startswith("maxvit_"):
        return {"input_size": (image_size, image_size)}
    return {}


def fill_network(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a network its weights, each by the name that its ``state_dict`` has for it.

    Raises:
        RuntimeError: one is missing, not of this network, or of another shape.
    """
    state = network.state_dict()
    state.clear()  # what stays is the version of each module's names, without which MNASNet loads nothing
    state.update(tensors)
    network.load_state_dict(state)
