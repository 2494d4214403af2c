"""Which preprocessing a network was trained with."""

from pathlib import Path
from typing import Any

import torchvision

from model_builder.architecture import is_own
from model_builder.digits import PREPROCESSING as DIGITS_PREPROCESSING
from model_builder.errors import BuildError
from model_server.bundle import is_bundle, read_manifest
from model_server.engine.networks import list_architectures
from model_server.manifest import Preprocessing

_NORMALISED_AGAIN = ("GoogLeNet_Weights", "Inception_V3_Weights")


def list_weights(architecture: str) -> dict[str, Any]:
    """Return torchvision's weights of an architecture, by tag, ``DEFAULT`` too; none for one of our own."""
    if is_own(architecture):
        return {}
    members: dict[str, Any] = dict(torchvision.models.get_model_weights(architecture).__members__)
    return members


def find_weights(architecture: str, tag: str) -> Any | None:
    """Return torchvision's weights ``IMAGENET1K_V1`` of this architecture, or ``ResNet18_Weights.…`` of any."""
    prefix, _, name = tag.rpartition(".")
    for candidate in list_architectures() if prefix else [architecture]:
        found = list_weights(candidate).get(name)
        if found is not None and prefix in ("", type(found).__name__):
            return found
    return None


def translate(weights: Any) -> Preprocessing:
    """Return what torchvision's weights were trained with, in a bundle's terms.

    torchvision builds its pretrained GoogLeNet and Inception with ``transform_input=True``, which turns ImageNet's
    normalisation into (x - 0.5) / 0.5 inside the network; a bundle's network does not, so its preprocessing must.
    """
    transforms = weights.transforms()
    mean, std = transforms.mean, transforms.std
    if type(weights).__name__ in _NORMALISED_AGAIN:
        mean = std = [0.5] * 3
    return Preprocessing(
        resize=transforms.resize_size[0],
        crop=transforms.crop_size[0],
        interpolation=transforms.interpolation.value,
        mean=list(mean),
        std=list(std),
    )


def find_preprocessing(architecture: str, source: str | None) -> Preprocessing:
    """Return the preprocessing of what ``source`` names: a tag of torchvision's or a bundle's folder.

    Without a source it is that of the architecture's default weights.

    Raises:
        BuildError: there is neither such a tag nor such a bundle.
        BundleError: the bundle's manifest can't be read.
    """
    if source is None and is_own(architecture):
        return DIGITS_PREPROCESSING
    weights = find_weights(architecture, source or "DEFAULT")
    if weights is not None:
        return translate(weights)
    if source is not None and is_bundle(Path(source)):
        return read_manifest(Path(source)).preprocessing
    tags = ", ".join(list_weights(architecture)) or "none"
    raise BuildError(
        f"--preprocessing-of {source}: neither torchvision's weights nor a bundle's folder; give a tag of "
        f"{architecture} ({tags}), one with its type in front (ResNet18_Weights.IMAGENET1K_V1) or a folder"
    )
