"""Inference engines, all behind one Protocol: rows in, logits out."""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

from model_server.errors import BundleError
from model_server.excerpt import condense
from model_server.manifest import Manifest, Variant
from model_server.types import Float32Array, Rows

PACKAGES = {
    "openvino": ("openvino",),
    "onnxruntime": ("onnxruntime",),
    "torch": ("torch", "torchvision", "safetensors"),
}
"""What each engine's module imports."""


class Engine(Protocol):
    """A compiled network. ``infer`` blocks, releases the GIL, and is called from one thread at a time."""

    @property
    def narrow(self) -> "Sequence[Engine]":
        """The same network over a part of the threads each, to be called in parallel; none where that wins nothing."""
        ...

    @property
    def light(self) -> bool:
        """Whether it is a small network, one that may be done before another thread has woken."""
        ...

    def infer(self, rows: Rows) -> Float32Array:
        """Return logits, FP32 ``[N, classes]``, for UINT8 ``[N, S, S, 3]`` or FP32 ``[N, 3, S, S]`` rows."""
        ...


def load_engine(manifest: Manifest, variant: Variant, files: Sequence[bytes], threads: int) -> Engine:
    """Compile a variant from what is in its files, in their order.

    Each engine's module is imported only when a variant asks for it: a server of int8 models never pays for the others.

    Raises:
        BundleError: the engine refuses the files.
    """
    try:
        load = cast("Callable[..., Engine]", import_module(f"{__name__}.{variant.engine}").load)
        return load(*files, manifest=manifest, variant=variant, threads=threads)
    except Exception as error:  # every engine has exceptions of its own
        names = ", ".join(file.path for file in variant.files)
        raise BundleError(f"{variant.engine} can't load {names}: {condense(error)}") from error


def runs_here(variant: Variant) -> bool:
    """Tell whether this machine has the variant's engine and device; only torch looks for a GPU."""
    if any(find_spec(package) is None for package in PACKAGES[variant.engine]):
        return False
    return variant.device == "cpu" or bool(import_module(f"{__name__}.torch").has_gpu())
