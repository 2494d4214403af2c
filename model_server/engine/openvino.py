"""OpenVINO, for int8 on CPUs."""

from collections.abc import Sequence

import numpy as np

from model_server.telemetry import disable_telemetry
from model_server.types import Float32Array, Rows

disable_telemetry()

import openvino  # noqa: E402

MAX_NARROW_STREAMS = 4
"""More would hold more memory than they win: each keeps the largest batch's activations."""
SMALL_BYTES = 1 << 20
"""A network of fewer is done before a second thread has woken, which then spins for nothing; torchvision has none."""


class OpenVinoEngine:
    """One inference request of a compiled model: a stream."""

    def __init__(self, compiled: openvino.CompiledModel, *, light: bool = False) -> None:
        self.light = light
        self.narrow: Sequence[OpenVinoEngine] = ()
        self._request = compiled.create_infer_request()

    def infer(self, rows: Rows) -> Float32Array:
        """Return logits, FP32 ``[N, classes]``."""
        self._request.set_input_tensor(openvino.Tensor(np.ascontiguousarray(rows), shared_memory=True))
        self._request.infer()
        return np.array(self._request.get_output_tensor().data, dtype=np.float32)


def load(model: bytes, weights: bytes, *, threads: int, **_: object) -> OpenVinoEngine:
    """Compile OpenVINO IR, the ``.xml`` and the ``.bin``: for one stream over all the threads, and for narrow ones.

    It is compiled twice because OpenVINO divides the threads among a compiled model's streams once and for all. A small
    network gets one stream of one thread.
    """
    core = openvino.Core()
    network = core.read_model(model=model, weights=weights)
    if len(model) + len(weights) < SMALL_BYTES:
        return OpenVinoEngine(_compile(core, network, 1), light=True)
    engine = OpenVinoEngine(_compile(core, network, threads))
    if threads == 1:
        return engine
    streams = min(threads, MAX_NARROW_STREAMS)
    compiled = _compile(core, network, threads, streams)
    engine.narrow = [OpenVinoEngine(compiled) for _ in range(streams)]
    return engine


def _compile(core: openvino.Core, network: openvino.Model, threads: int, streams: int = 1) -> openvino.CompiledModel:
    return core.compile_model(
        network,
        "CPU",
        {
            "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
            "NUM_STREAMS": str(streams),
            "INFERENCE_NUM_THREADS": str(threads),
            # on CPUs with bfloat16 the float parts would lose digits that the accuracy in the bundle has
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,
        },
    )
