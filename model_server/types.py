"""The words the steps share: what goes in, what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]
Float32Array = NDArray[np.float32]
Int64Array = NDArray[np.int64]
Rows = NDArray[Any]
"""What an engine takes: UINT8 ``[N, S, S, 3]`` or normalised FP32 ``[N, 3, S, S]``."""


@dataclass(frozen=True, slots=True)
class EncodedImages:
    """JPEG, PNG or WebP files."""

    files: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.files)


@dataclass(frozen=True, slots=True)
class Pixels:
    """Decoded images, RGB, upright: UINT8 ``[N, H, W, 3]``."""

    values: UInt8Array

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Tensor:
    """What the network itself takes: FP32 ``[N, 3, S, S]``, resized, cropped and normalised."""

    values: Float32Array

    def __len__(self) -> int:
        return len(self.values)


Content = EncodedImages | Pixels | Tensor


@dataclass(frozen=True, slots=True)
class Query:
    """One request, whichever door it came through.

    ``top_k`` and ``timeout_seconds`` are None where the client left the choice to the server.
    """

    content: Content
    top_k: int | None = None
    timeout_seconds: float | None = None
    with_logits: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The labels of N images, best first, k each; ``logits`` are ``[N, classes]`` where they were asked for."""

    labels: list[list[str]]
    probabilities: Float32Array
    classes: Int64Array
    logits: Float32Array | None = None


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output as V2 metadata shows it; -1 stands for any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and gives, for the codecs to hold requests against."""

    name: str
    version: str
    platform: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    class_count: int
    max_images: int

    def input_names(self) -> list[str]:
        """Return the names of the inputs that this model takes."""
        return [spec.name for spec in self.inputs]


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model in the repository's index, in the words of Triton's model repository extension.

    ``reason`` says why it is not READY; of one that is, why its last reload failed.
    """

    name: str
    version: str
    state: Literal["READY", "LOADING", "UNLOADING", "UNAVAILABLE"]
    reason: str = ""
