"""Inference engines, all behind one Protocol: rows in, logits out."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol, cast

from model_server.bundle import Variant
from model_server.errors import BundleError
from model_server.types import Float32Array, Rows


class Engine(Protocol):
    """A compiled network. ``infer`` blocks, releases the GIL, and is called from one thread at a time."""

    def infer(self, rows: Rows) -> Float32Array:
        """Return logits, FP32 ``[N, classes]``, for UINT8 ``[N, S, S, 3]`` or FP32 ``[N, 3, S, S]`` rows."""
        ...


_MODULES = {"openvino": "model_server.engine.openvino", "onnxruntime": "model_server.engine.onnxruntime"}


def load_engine(variant: Variant, files: Sequence[bytes], threads: int) -> Engine:
    """Compile a variant from what is in its files, in their order.

    Each engine's module is imported only when a variant asks for it: a server of int8 models never pays for the other.

    Raises:
        BundleError: the engine refuses the files.
    """
    load = cast("Callable[..., Engine]", import_module(_MODULES[variant.engine]).load)
    try:
        return load(*files, threads=threads)
    except Exception as error:  # every engine has exceptions of its own
        names = ", ".join(file.path for file in variant.files)
        reason = " ".join(str(error).split())[:300]
        raise BundleError(f"{variant.engine} can't load {names}: {reason}") from error
