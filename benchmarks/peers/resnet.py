"""ResNet-50 int8 with OpenVINO and Pillow, as someone would write it who has a model and takes a framework to serve it.

Each peer's environment imports this; it needs nothing of this project but the bundle.
"""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from benchmarks.peers.loopback import disable_openvino_telemetry

disable_openvino_telemetry()

import openvino  # noqa: E402

BUNDLE = Path(os.environ.get("PEER_BUNDLE", "build/bundles/resnet-50"))
WORKERS, BATCH = int(os.environ.get("PEER_WORKERS", "1")), int(os.environ.get("PEER_BATCH", "1"))
PORT = int(os.environ.get("PEER_PORT", "8000"))
DRAFT = os.environ.get("PEER_DRAFT") == "1"
THREADS = max(1, len(os.sched_getaffinity(0)) // WORKERS)
BATCH_SECONDS = 0.005
"""How long a batch is waited for where a framework asks: one value for all of them and every machine, not tuned."""

MANIFEST: dict[str, Any] = yaml.safe_load((BUNDLE / "model.yaml").read_text())
RESIZE, CROP = (int(MANIFEST["preprocessing"][name]) for name in ("resize", "crop"))
Pixels = NDArray[np.uint8]


def decode(file: bytes | Image.Image) -> Pixels:
    """Return an image's middle, UINT8 ``[CROP, CROP, 3]``, RGB, after its shorter side became RESIZE pixels."""
    image = Image.open(io.BytesIO(file)) if isinstance(file, bytes) else file
    if DRAFT:
        image.draft("RGB", (RESIZE, RESIZE))
    image = image.convert("RGB")
    scale = RESIZE / min(image.size)
    width, height = (int(side * scale) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - CROP) / 2), round((height - CROP) / 2)
    return np.asarray(image.crop((left, top, left + CROP, top + CROP)))


class Classifier:
    """The bundle's int8 variant on this worker's share of the cores.

    With one worker it is the project's own engine: one wide stream. Cores are not pinned, because two processes would
    pin themselves to the same ones.
    """

    def __init__(self) -> None:
        variant = next(variant for variant in MANIFEST["variants"] if variant["precision"] == "int8")
        network = BUNDLE / variant["files"][0]["path"]
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(THREADS),
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,
        }
        self._request = openvino.Core().compile_model(network, "CPU", options).create_infer_request()
        for images in range(1, BATCH + 1):
            self.classify([np.zeros((CROP, CROP, 3), np.uint8)] * images)
        tell_ready()

    def classify(self, pixels: Sequence[Pixels]) -> list[int]:
        """Return the class of each image, for images of ``[CROP, CROP, 3]``."""
        logits = self._request.infer({0: np.stack(pixels)}, share_inputs=True, share_outputs=True)[0]
        classes: list[int] = logits.argmax(axis=1).tolist()
        return classes


def tell_ready() -> None:
    """Leave this process's number where the benchmark looks for it: this worker has its model, and is warm."""
    if folder := os.environ.get("PEER_READY"):
        Path(folder, str(os.getpid())).touch()
