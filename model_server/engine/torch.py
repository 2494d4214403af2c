"""Torch: GPUs in half precision, and the reference in float32 that the other engines are measured against."""

import numpy as np
import safetensors.torch
import torch
from torch import nn

from model_server.engine.networks import build_network, fill_network
from model_server.manifest import Manifest, Preprocessing, Variant
from model_server.types import Float32Array, Rows

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def has_gpu() -> bool:
    """Tell whether torch finds a GPU that it can use."""
    return torch.cuda.is_available()


class TorchEngine:
    """A network on one device, channels last, run eagerly.

    UINT8 pixels ``[N, S, S, 3]`` are what travels to the device, a quarter of the floats' size; they are channels last
    as they come, and are normalised there, in float32.
    """

    def __init__(self, network: nn.Module, preprocessing: Preprocessing, device: str, dtype: torch.dtype) -> None:
        self._device = torch.device(device)
        self._dtype = dtype
        self._network = network.eval().to(self._device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._mean = self._channels([255 * mean for mean in preprocessing.mean])
        self._scale = self._channels([1 / (255 * std) for std in preprocessing.std])

    narrow = ()
    light = False

    def infer(self, rows: Rows) -> Float32Array:
        """Return logits, FP32 ``[N, classes]``."""
        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(rows))
            if self._device.type == "cuda":
                pixels = pixels.pin_memory()
            planes = pixels.to(self._device, non_blocking=True).permute(0, 3, 1, 2).to(torch.float32)
            tensor = planes.sub_(self._mean).mul_(self._scale).to(self._dtype)
            logits: Float32Array = self._network(tensor).to(torch.float32).cpu().numpy()
        return logits

    def _channels(self, values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self._device).view(1, 3, 1, 1)


def load(weights: bytes, *, manifest: Manifest, variant: Variant, threads: int) -> TorchEngine:
    """Build the bundle's architecture and fill it with a safetensors file's weights, each of which it must name."""
    if variant.device == "cpu":
        torch.set_num_threads(threads)
    network = build_network(manifest.architecture, len(manifest.labels), manifest.preprocessing.crop)
    fill_network(network, safetensors.torch.load(weights))
    return TorchEngine(network, manifest.preprocessing, variant.device, _DTYPES[variant.precision])
