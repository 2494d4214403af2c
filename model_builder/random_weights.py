"""Weights that nobody trained: for measuring speed, and for trying out everything else."""

import torch
from torch import nn

from model_builder.architecture import build
from model_builder.determinism import reproducible
from model_builder.model import Model
from model_builder.pictures import draw_pictures
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing

PICTURES = 8


def draw_model(architecture: str, *, seed: int, classes: int, preprocessing: Preprocessing) -> Model:
    """Return a network with weights that the seed decides on; the same seed gives the same bits.

    Raises:
        BuildError: the architecture does not take images of this size.
    """
    with reproducible(seed):
        network = build(architecture, classes, preprocessing.crop)
        with torch.no_grad():
            for module in network.modules():
                _draw(module)
            _settle(network, preprocessing, seed)
    return Model(
        architecture=architecture,
        network=network,
        preprocessing=preprocessing,
        labels=[f"class {number}" for number in range(classes)],
        labels_source="placeholders: the weights are random",
        weights=f"random-seed-{seed}",
        trained_on=None,
    )


def _draw(module: nn.Module) -> None:
    """Fill a layer so that what it is shown shows in what it says.

    An untrained ViT's logits are all zero, because its head is, and what a ConvNeXt's blocks say is multiplied by a
    millionth: two engines that get such a network wrong agree all the same. So convolutions and linear layers keep the
    variance of what passes through (He et al., Delving Deep into Rectifiers, 2015), and all else is of the order of 1.
    """
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight)
    elif isinstance(module, nn.BatchNorm2d | nn.LayerNorm) and module.weight is not None:
        nn.init.uniform_(module.weight, 0.5, 1.5)
    if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d | nn.LayerNorm) and module.bias is not None:
        nn.init.normal_(module.bias, std=0.1)
    if isinstance(scale := getattr(module, "layer_scale", None), nn.Parameter):
        nn.init.uniform_(scale, 0.5, 1.5)


def _settle(network: nn.Module, preprocessing: Preprocessing, seed: int) -> None:
    """Let each BatchNorm know what passes through it, or signals die away, or grow, from block to block."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train().momentum = 1.0
    pictures = draw_pictures(PICTURES, preprocessing.crop, seed)
    network(torch.from_numpy(Imaging(preprocessing).normalise(pictures)))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.eval().momentum = momentum
