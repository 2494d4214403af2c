"""The networks that the builder knows how to train."""

from collections.abc import Callable

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


ARCHITECTURES: dict[str, Callable[[int], nn.Module]] = {"digits-resnet": DigitsResNet}
"""By the name that a bundle gives as its ``architecture``; each takes the number of classes."""
