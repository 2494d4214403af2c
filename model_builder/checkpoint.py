"""A file of weights → a network. Nothing in the file is run."""

import hashlib
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from model_builder.architecture import build, find_head, outline
from model_builder.errors import BuildError
from model_builder.labels import read_labels
from model_builder.model import Model
from model_server.engine.networks import fill_network
from model_server.excerpt import condense
from model_server.manifest import Preprocessing, TrainingData

SUFFIXES = (".safetensors", ".pth")
WRAPPERS = ("model_state_dict", "state_dict", "model")
"""Where training scripts put the weights beside what else they save."""
_COUNTER = "num_batches_tracked"
"""BatchNorm's, which only its training reads, and which files older than torch 0.4.1 do not have."""
_TRAINING_HEADS = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}
_OLD_NAMES = (
    (re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\."), r"\1\2."),
    (re.compile(r"\.mlp\.linear_1\."), ".mlp.0."),
    (re.compile(r"\.mlp\.linear_2\."), ".mlp.3."),
)
"""Names that torchvision's DenseNet and ViT once had; some of the files that it publishes still do."""


def load_checkpoint(
    architecture: str, path: Path, *, labels: Path, preprocessing: Preprocessing, trained_on: str | None
) -> Model:
    """Return what is in a ``.safetensors`` or ``.pth`` file, under the labels of another.

    ``weights`` becomes the digest of the weights themselves, so that it does not depend on the kind of file.

    Raises:
        BuildError: the files can't be read, or do not belong to each other or to the architecture.
    """
    names = read_labels(labels)
    tensors = read_tensors(path)
    network = fill(architecture, tensors, preprocessing.crop, str(path))
    class_count = len(network.state_dict()[find_head(architecture)])
    if class_count < 2:
        raise BuildError(f"--weights {path}: its head has {class_count} class; a classifier has two or more")
    if len(names) != class_count:
        raise BuildError(
            f"--labels {labels}: {len(names)} labels, but the head in {path} has {class_count} classes; "
            "give one line for each class, in the order of the logits"
        )
    return Model(
        architecture=architecture,
        network=network,
        preprocessing=preprocessing,
        labels=names,
        labels_source=labels.name,
        weights=f"sha256-{hashlib.sha256(encode(network)).hexdigest()}",
        trained_on=TrainingData(name=trained_on or "not stated"),
    )


def encode(network: nn.Module) -> bytes:
    """Return the network's weights as a safetensors file; the same weights always give the same bytes."""
    data: bytes = safetensors.torch.save(network.state_dict())
    return data


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return a file's tensors by name.

    Raises:
        BuildError: there is no such file, it holds code, or something other than named tensors.
    """
    if not path.is_file():
        raise BuildError(f"--weights {path}: there is no such file")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        document = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:  # the latter of TorchScript, and of a damaged archive
        raise BuildError(
            f"--weights {path}: holds more than weights, or is damaged; nothing of it was run. Where you trust it, "
            "save the weights alone: torch.save(network.state_dict(), FILE)"
        ) from error
    except Exception as error:
        reason = condense(error) or "it is empty or cut off"
        raise BuildError(f"--weights {path}: can't be read as a {path.suffix} file: {reason}") from error
    return _unwrap(document, path)


def _unwrap(document: Any, path: Path) -> dict[str, Tensor]:
    """Return the tensors of a state dict, of one that lies under a key, or of one that DataParallel named."""
    for key in WRAPPERS:
        if isinstance(document, Mapping) and isinstance(document.get(key), Mapping):
            document = document[key]
    tensors = dict(document) if isinstance(document, Mapping) else {}
    strange = [str(name) for name, value in tensors.items() if not (isinstance(name, str) and torch.is_tensor(value))]
    if strange or not tensors:
        found = f"it holds {', '.join(strange[:3])}" if strange else f"it is a {type(document).__name__}"
        keys = f"{', '.join(WRAPPERS[:-1])} or {WRAPPERS[-1]}"
        raise BuildError(f"--weights {path}: not a state dict of named tensors, nor one under {keys}: {found}")
    if all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return tensors


def fill(architecture: str, tensors: Mapping[str, Tensor], image_size: int, source: str) -> nn.Module:
    """Return the network with these weights, in float32; what only training uses is left out.

    The number of classes is that of the head among them.

    Raises:
        BuildError: they are not the weights of this architecture; the message begins with ``source``.
    """
    skipped = _TRAINING_HEADS.get(architecture, ())
    given = {_rename(name): tensor for name, tensor in tensors.items() if not name.startswith(skipped)}
    head = find_head(architecture)
    class_count = len(given[head]) if head in given and given[head].dim() else 0
    expected = outline(architecture, max(class_count, 1), image_size)
    for name in expected.keys() - given.keys():
        if name.endswith(_COUNTER):
            given[name] = torch.tensor(0)
    _compare(architecture, given, expected, source)
    network = build(architecture, class_count, image_size)
    fill_network(network, given)
    return network


def _rename(name: str) -> str:
    for pattern, new in _OLD_NAMES:
        name = pattern.sub(new, name)
    return name


def _compare(architecture: str, given: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: str) -> None:
    shapes = [
        f"{name} ({list(given[name].shape)} where {list(expected[name].shape)} fits)"
        for name in expected
        if name in given and given[name].shape != expected[name].shape
    ]
    problems = {
        "missing": [name for name in expected if name not in given],
        "not known there": [name for name in given if name not in expected],
        "of another shape": shapes,
        "not of plain numbers": [name for name, tensor in given.items() if not _is_plain(tensor)],
        "of whole numbers": [
            name
            for name in expected
            if name in given and expected[name].is_floating_point() and not given[name].is_floating_point()
        ],
        "not finite": [
            name
            for name in expected
            if name in given and _is_plain(given[name]) and not given[name].float().isfinite().all()
        ],
    }
    found = [f"{problem}: {_shorten(names)}" for problem, names in problems.items() if names]
    if found:
        raise BuildError(f"{source}: not the weights of {architecture}; {'; '.join(found)}")


def _is_plain(tensor: Tensor) -> bool:
    """Tell whether all its numbers are there: some bytes of a file can claim to be a tensor of any size."""
    if tensor.is_complex() or tensor.is_quantized or tensor.is_meta or tensor.layout != torch.strided:
        return False
    return tensor.untyped_storage().nbytes() >= tensor.numel() * tensor.element_size()


def _shorten(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
