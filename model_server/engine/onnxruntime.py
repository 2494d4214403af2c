"""ONNX Runtime, for float32 on CPUs."""

import numpy as np
import onnxruntime

from model_server.types import Float32Array, Rows


class OnnxRuntimeEngine:
    """One session; its threads sleep while there is nothing to do, rather than spin on the cores others need."""

    def __init__(self, model: bytes, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    narrow = ()
    light = False

    def infer(self, rows: Rows) -> Float32Array:
        """Return logits, FP32 ``[N, classes]``."""
        (logits,) = self._session.run([self._output], {self._input: rows})
        return np.asarray(logits, dtype=np.float32)


def load(model: bytes, *, threads: int, **_: object) -> OnnxRuntimeEngine:
    """Create a session from an ONNX file's bytes."""
    return OnnxRuntimeEngine(model, threads)
