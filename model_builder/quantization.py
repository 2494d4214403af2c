"""Float32 ONNX → int8 OpenVINO IR, after training, with NNCF."""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import nncf
import openvino
from openvino.preprocess import PrePostProcessor

from model_builder.progress import tell
from model_server.manifest import Preprocessing
from model_server.types import UInt8Array

INPUT = "pixels"
_PROVENANCE = re.compile(r"\n\t<rt_info>.*?\n\t</rt_info>", re.DOTALL)
"""The runtime information of the whole graph, one tab deep; that of its layers is deeper, and needed."""


def quantize_openvino(model: bytes, preprocessing: Preprocessing, calibration: UInt8Array) -> tuple[bytes, bytes]:
    """Return the ``.xml`` and the ``.bin`` of the int8 network.

    Its input is ``pixels``, UINT8 ``[N, S, S, 3]``: normalisation and the change of layout are part of the graph.

    Args:
        model: an ONNX file whose only input is FP32 ``[N, 3, S, S]``.
        preprocessing: its mean and std.
        calibration: UINT8 ``[M, S, S, 3]``, resized and cropped; the ranges of the activations are measured on them.

    Weights are held to 7 bits (NNCF's overflow fix for all layers), because CPUs with AVX2 alone add pairs of
    products in 16 bits and saturate. On one, with the digits, logits differ from those of the same graph in float by
    at most 0.1 so, by 1.4 with the fix in the first layer only, by 4.1 without.
    """
    nncf.set_log_level(logging.ERROR)
    graph = _take_pixels(openvino.Core().read_model(model=model), preprocessing)
    with redirect_stdout(io.StringIO()):  # NNCF draws its progress there
        quantized = nncf.quantize(
            graph,
            nncf.Dataset(_Calibration(calibration)),
            subset_size=len(calibration),
            advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
        )
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.xml")
        openvino.save_model(quantized, path, compress_to_fp16=False)
        return _PROVENANCE.sub("", path.read_text()).encode(), path.with_suffix(".bin").read_bytes()


class _Calibration:
    """Single images, UINT8 ``[1, S, S, 3]``, as often as NNCF goes through them, which is told."""

    def __init__(self, images: UInt8Array) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[UInt8Array]:
        return tell(list(self._images[:, None]), "calibrating on pictures")


def _take_pixels(graph: openvino.Model, preprocessing: Preprocessing) -> openvino.Model:
    steps = PrePostProcessor(graph)
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    normalise = steps.input().preprocess().convert_element_type(openvino.Type.f32)
    normalise.mean([255 * mean for mean in preprocessing.mean]).scale([255 * std for std in preprocessing.std])
    graph = steps.build()
    graph.input().get_tensor().set_names({INPUT})
    graph.input().get_node().set_friendly_name(INPUT)
    return graph
