"""The weights that torchvision publishes, with what it says of them."""

import hashlib
import pickle
import re
import sys
from contextlib import redirect_stdout
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch

from model_builder.checkpoint import fill
from model_builder.errors import BuildError
from model_builder.model import Model
from model_builder.preprocessing import find_weights, list_weights, translate
from model_builder.progress import say
from model_server.manifest import PublishedAccuracy, TrainingData

_SHA256_PREFIX = re.compile(r"-([0-9a-f]{8,})\.")
"""In a file's name, as torch.hub has it."""


def load_published(architecture: str, tag: str) -> Model:
    """Return torchvision's weights of an architecture, downloaded unless torch's hub folder has them.

    Raises:
        BuildError: no such tag, or the file can't be had.
    """
    weights = _find(architecture, tag)
    meta = weights.meta
    if "license" in meta:
        say(f"{weights}: its licence is {meta['license']}")
    network = fill(architecture, _fetch(architecture, weights), translate(weights).crop, _locate(weights).name)
    ((data_set, accuracy),) = meta["_metrics"].items()
    return Model(
        architecture=architecture,
        network=network,
        preprocessing=translate(weights),
        labels=list(meta["categories"]),
        labels_source=f"torchvision {weights}: categories",
        weights=weights.name,
        trained_on=TrainingData(name=data_set),
        published=PublishedAccuracy(
            data_set=data_set,
            top_1=round(accuracy["acc@1"] / 100, 6),
            top_5=round(accuracy["acc@5"] / 100, 6),
            source="torchvision",
        ),
    )


def list_tags(architecture: str) -> list[str]:
    """Return the tags of its weights that classify; VGG-16 has some that end before its classifier."""
    return [tag for tag, weights in list_weights(architecture).items() if weights.meta["categories"]]


def _find(architecture: str, tag: str) -> Any:
    weights, tags = find_weights(architecture, tag), list_tags(architecture)
    if weights is None or weights not in [list_weights(architecture)[known] for known in tags]:
        there_are = f"its tags are {', '.join(tags)}" if tags else "it has none"
        raise BuildError(
            f"--weights {tag}: torchvision has no such weights of {architecture}; {there_are}; "
            "or give a .safetensors or .pth file, or random"
        )
    return weights


def _locate(weights: Any) -> Path:
    """Return where torch's hub keeps the file."""
    return Path(torch.hub.get_dir(), "checkpoints", weights.url.rpartition("/")[2])


def _fetch(architecture: str, weights: Any) -> dict[str, torch.Tensor]:
    path = _locate(weights)
    prefix = found[1] if (found := _SHA256_PREFIX.search(path.name)) else ""
    if path.is_file():
        _verify(path, prefix)
    else:
        say(f"downloading {weights.url}")
    try:
        with redirect_stdout(sys.stderr):
            tensors: dict[str, torch.Tensor] = weights.get_state_dict(
                progress=sys.stderr.isatty(), check_hash=True, weights_only=True, map_location="cpu"
            )
    except (OSError, HTTPException, RuntimeError, pickle.UnpicklingError) as error:
        raise BuildError(
            f"--weights {weights.name}: {weights.url} can't be had ({error}); download it elsewhere (its sha256 "
            f"begins with {prefix}) and put it at {path} (the environment variable TORCH_HOME moves that folder), or "
            f"pass it with its labels: export {architecture} --weights {path.name} --labels FILE"
        ) from error
    return tensors


def _verify(path: Path, prefix: str) -> None:
    """Torch's hub compares digests only of what it has just downloaded."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(prefix):
        raise BuildError(
            f"{path}: its sha256 begins with {digest[: len(prefix)]}, not with {prefix} as its name says; "
            "it is damaged or another file: remove it, to have it downloaded anew"
        )
