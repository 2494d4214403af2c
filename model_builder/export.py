"""A trained network → ONNX."""

import logging
import warnings
from typing import Any

import onnx
import torch
from torch import nn

OPSET = 20
INPUT, OUTPUT = "tensor", "logits"
_REMARKS = ("doc_string", "metadata_props")
"""Where torch leaves the source lines of this machine that each node came from."""


def export_onnx(network: nn.Module, size: int) -> bytes:
    """Return the network as one ONNX file, weights included.

    Its input is ``tensor``, FP32 ``[N, 3, size, size]``, its output ``logits``, FP32 ``[N, classes]``, for any N.
    """
    example = torch.zeros(2, 3, size, size)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations, nothing about the network
        program = torch.onnx.export(
            network.eval(),
            (example,),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("N")},),
            external_data=False,
        )
    if program is None:
        raise AssertionError("torch.onnx.export returned no program")
    model = program.model_proto
    _strip(model)
    data: bytes = model.SerializeToString(deterministic=True)
    del program, model  # the checker makes a copy of its own
    onnx.checker.check_model(data, full_check=True)
    return data


def _strip(message: Any) -> None:
    """Clear the remarks of a protobuf message and of every message inside it."""
    for field, value in message.ListFields():
        if field.name in _REMARKS:
            message.ClearField(field.name)
        elif field.message_type is not None:
            for inner in [value] if hasattr(value, "ListFields") else value:
                _strip(inner)
