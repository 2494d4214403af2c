"""What is exported, against torch: the same pictures, the same logits."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model_builder.errors import BuildError
from model_builder.pictures import draw_pictures
from model_server.engine import load_engine, openvino
from model_server.imaging import Imaging
from model_server.manifest import Manifest, Variant
from model_server.types import Float32Array

PICTURES = 4
SEED = 1
THREADS = 1
TOLERANCE = 1e-2
"""Of the largest logit. An engine that adds up in another order is off by a millionth of it after twenty layers, and by
a few ten-thousandths after the 152 of a ResNet with random weights; a wrong one is off by as much as the logits are."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far an engine's logits are from torch's at most; ``largest`` is torch's largest logit, either sign."""

    engine: str
    logits: float
    largest: float


def compare_engines(manifest: Manifest, contents: Mapping[str, bytes]) -> list[Difference]:
    """Run the ONNX variant, and OpenVINO on its file, from which int8 is made later, against torch in float32.

    There is nothing to compare in a bundle without an ONNX variant.

    Args:
        manifest: the bundle's.
        contents: of its files, by path.

    Raises:
        BuildError: an engine's logits are further off than ``TOLERANCE``, or not finite.
        BundleError: an engine refuses its file.
    """
    engines = {v.engine: v for v in manifest.variants if (v.precision, v.device) == ("float32", "cpu")}
    if "onnxruntime" not in engines:
        return []
    pixels = draw_pictures(PICTURES, manifest.preprocessing.crop, SEED)
    tensor = Imaging(manifest.preprocessing).normalise(pixels)

    def files(variant: Variant) -> list[bytes]:
        return [contents[file.path] for file in variant.files]

    # one after the other, so that no two hold the weights at once
    torch, onnx = engines["torch"], engines["onnxruntime"]
    reference = load_engine(manifest, torch, files(torch), THREADS).infer(pixels)
    by_onnxruntime = load_engine(manifest, onnx, files(onnx), THREADS).infer(tensor)
    by_openvino = openvino.load(contents[onnx.files[0].path], b"", threads=THREADS).infer(tensor)
    return [
        _compare("ONNX Runtime", by_onnxruntime, reference),
        _compare("OpenVINO", by_openvino, reference),
    ]


def _compare(engine: str, logits: Float32Array, reference: Float32Array) -> Difference:
    difference = Difference(engine, float(np.abs(logits - reference).max()), float(np.abs(reference).max()))
    if not difference.logits <= TOLERANCE * difference.largest:  # so that NaN is refused
        raise BuildError(
            f"{engine}'s logits differ from torch's by up to {difference.logits:.3g}, where the largest is "
            f"{difference.largest:.3g} and {TOLERANCE:g} of it is tolerated; nothing was written"
        )
    return difference
