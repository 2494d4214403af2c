"""OpenVINO, for int8 on CPUs."""

import numpy as np

from model_server.telemetry import disable_telemetry
from model_server.types import Float32Array, Rows

disable_telemetry()

import openvino  # noqa: E402


class OpenVinoEngine:
    """One compiled model with one inference request: one wide stream over all the threads."""

    def __init__(self, model: bytes, weights: bytes, threads: int) -> None:
        core = openvino.Core()
        network = core.read_model(model=model, weights=weights)
        compiled = core.compile_model(
            network,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": "1",
                "INFERENCE_NUM_THREADS": str(threads),
                # on CPUs with bfloat16 the float parts would lose digits that the accuracy in the bundle has
                "INFERENCE_PRECISION_HINT": "f32",
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._request = compiled.create_infer_request()

    def infer(self, rows: Rows) -> Float32Array:
        """Return logits, FP32 ``[N, classes]``."""
        self._request.set_input_tensor(openvino.Tensor(np.ascontiguousarray(rows), shared_memory=True))
        self._request.infer()
        return np.array(self._request.get_output_tensor().data, dtype=np.float32)


def load(model: bytes, weights: bytes, *, threads: int, **_: object) -> OpenVinoEngine:
    """Compile OpenVINO IR: the ``.xml`` and the ``.bin``."""
    return OpenVinoEngine(model, weights, threads)
