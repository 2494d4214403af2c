"""What there is to know of an architecture before it has weights."""

import difflib
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from model_builder.errors import BuildError
from model_server.engine.networks import OWN, build_network, list_architectures


class _WithoutStorage(TorchFunctionMode):
    """Every tensor that is about to be filled gets a shape only, so that a network costs no memory and no time.

    torch's own way, ``with torch.device("meta")``, does so to all tensors, and a RegNet computes its widths with some.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = (kwargs or {}) | ({"device": "meta"} if func is torch.empty else {})
        return func(*args, **options)


def check_architecture(architecture: str) -> None:
    """Refuse a name that no architecture has.

    Raises:
        BuildError: with the names that are near, or all of them where none is.
    """
    names = list_architectures()
    if architecture not in names:
        near = difflib.get_close_matches(architecture.lower().replace("-", "_"), names, n=5)
        there_are = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(names)}"
        raise BuildError(f"no architecture is called {architecture!r}; {there_are}")


def is_own(architecture: str) -> bool:
    """Tell whether it is one that torchvision does not have."""
    return architecture in OWN


def build(architecture: str, class_count: int, image_size: int) -> nn.Module:
    """Return the network, its weights yet to be filled.

    Raises:
        BuildError: the architecture does not take images of this size.
    """
    try:
        return build_network(architecture, class_count, image_size)
    except (AssertionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BuildError(f"{architecture} can't be built for images of {image_size} pixels: {reason}") from error


def outline(architecture: str, class_count: int, image_size: int) -> dict[str, Tensor]:
    """Return what the network's ``state_dict`` will hold, for its names and shapes; most of the values are missing.

    Raises:
        BuildError: as ``build`` does.
    """
    with _WithoutStorage():
        return build(architecture, class_count, image_size).state_dict()


def find_head(architecture: str) -> str:
    """Return the name of the weights, ``[classes, …]``, whose shape depends on the number of classes."""
    two, three = (outline(architecture, count, 224) for count in (2, 3))
    return next(name for name, tensor in two.items() if tensor.shape != three[name].shape)
