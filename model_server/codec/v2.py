"""The Open Inference Protocol (V2), whatever carries it: what a request may say and what an answer holds.

https://github.com/kserve/open-inference-protocol. REST and gRPC read their bytes into these and are held to the same
rules by them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from typing import Any

import numpy as np

from model_server.codec.options import read_parameters
from model_server.errors import InvalidInput, too_many_images
from model_server.excerpt import describe, shorten
from model_server.types import (
    Answer,
    Content,
    EncodedImages,
    Float32Array,
    Int64Array,
    Pixels,
    Query,
    Signature,
    Tensor,
    TensorSpec,
    UInt8Array,
)

DTYPES: dict[str, np.dtype[Any]] = {"UINT8": np.dtype("u1"), "FP32": np.dtype("<f4"), "INT64": np.dtype("<i8")}
Values = list[bytes] | UInt8Array | Float32Array | Int64Array


@dataclass(frozen=True, slots=True)
class InputTensor:
    """An input as the client describes it. ``read`` gives its values once the shape is known to be sound."""

    name: object
    datatype: object
    shape: object
    read: Callable[[TensorSpec, tuple[int, ...]], Values]


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """An output to be written."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Values


def read_query(
    inputs: Sequence[InputTensor],
    parameters: Mapping[str, object],
    outputs: Sequence[str],
    signature: Signature,
) -> Query:
    """Turn a request's tensors and parameters into a query.

    Raises:
        InvalidInput: an input, its datatype, its shape, its values or a parameter is not what the model takes.
        TooLarge: more images than the model takes.
    """
    check_input_count(len(inputs), signature)
    names = ", ".join(signature.input_names())
    given = inputs[0]
    spec = next((spec for spec in signature.inputs if spec.name == given.name), None)
    if spec is None:
        raise InvalidInput(f"input {describe('name', given.name)}; model {signature.name!r} takes one of {names}")
    if given.datatype != spec.datatype:
        raise InvalidInput(f"input {spec.name!r}: {describe('datatype', given.datatype)}; it must be {spec.datatype}")
    shape = _check_shape(given.shape, spec)
    if shape[0] > signature.max_images:
        found = f"input {spec.name!r}: shape = {list(shape)} holds {shape[0]} images"
        raise too_many_images(found, signature.max_images)
    top_k, timeout_seconds = read_parameters(parameters, signature.class_count)
    return Query(
        _content(spec, given.read(spec, shape)),
        top_k=top_k,
        timeout_seconds=timeout_seconds,
        with_logits="logits" in outputs,
    )


def check_input_count(count: int, signature: Signature) -> None:
    """Refuse any number of inputs but one.

    Raises:
        InvalidInput: there are none, or more.
    """
    if count != 1:
        raise InvalidInput(f"{count} inputs given; exactly one of {', '.join(signature.input_names())} is taken")


def check_outputs(names: Sequence[object], signature: Signature) -> list[str]:
    """Return the names of the requested outputs; all but the logits where none was named.

    Raises:
        InvalidInput: one that does not exist, or twice.
    """
    known = [spec.name for spec in signature.outputs]
    checked: list[str] = []
    for name in names:
        if name not in known:
            raise InvalidInput(f"output name = {shorten(name)}; model {signature.name!r} gives {', '.join(known)}")
        if name in checked:
            raise InvalidInput(f"output {name!r} is requested twice; name it once")
        checked.append(str(name))
    return checked or [name for name in known if name != "logits"]


def check_no_classification(where: str, parameters: Mapping[str, object]) -> None:
    """Refuse Triton's classification extension, which stands for what ``top_k`` does here.

    Raises:
        InvalidInput: an output's parameters ask for it.
    """
    if "classification" in parameters:
        raise InvalidInput(f"{where}: classification is not given here; set the request parameter top_k instead")


def write_outputs(answer: Answer, names: Sequence[str]) -> list[OutputTensor]:
    """Return the named outputs of an answer, in the order of the names."""
    tensors = {
        "labels": lambda: OutputTensor(
            "labels",
            "BYTES",
            answer.classes.shape,
            [label.encode() for labels in answer.labels for label in labels],
        ),
        "probabilities": lambda: _array("probabilities", "FP32", answer.probabilities),
        "classes": lambda: _array("classes", "INT64", answer.classes),
        "logits": lambda: _array("logits", "FP32", answer.logits),
    }
    return [tensors[name]() for name in names]


def check_count(name: str, shape: Sequence[int], count: int) -> None:
    """Refuse a number of values that is not the shape's.

    Raises:
        InvalidInput: they differ.
    """
    expected = math.prod(shape)
    if count != expected:
        raise InvalidInput(f"input {name!r}: shape {list(shape)} holds {expected} values, {count} were given")


def describe_server() -> dict[str, Any]:
    """Return the server's metadata, as V2 has it."""
    return {
        "name": "kserve-vision",
        "version": installed_version("kserve-vision"),
        "extensions": ["binary_tensor_data", "model_repository"],
    }


def describe_model(signature: Signature) -> dict[str, Any]:
    """Return a model's metadata, as V2 has it."""
    return {
        "name": signature.name,
        "versions": [signature.version],
        "platform": signature.platform,
        "inputs": [_describe(spec) for spec in signature.inputs],
        "outputs": [_describe(spec) for spec in signature.outputs],
    }


def _describe(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _array(name: str, datatype: str, values: Float32Array | Int64Array | None) -> OutputTensor:
    if values is None:
        raise LookupError(f"the answer holds no {name}: the query did not ask for them")
    return OutputTensor(name, datatype, values.shape, values)


def _check_shape(shape: object, spec: TensorSpec) -> tuple[int, ...]:
    wanted = ", ".join(str(size) if size >= 0 else letter for size, letter in zip(spec.shape, "NHWC", strict=False))
    found = f"input {spec.name!r}: {describe('shape', shape)}"
    problem = f"{found}; it must be [{wanted}], every size a whole number from 1 up"
    if not isinstance(shape, (list, tuple)) or len(shape) != len(spec.shape):
        raise InvalidInput(problem)
    for size, expected in zip(shape, spec.shape, strict=True):
        if type(size) is not int or size < 1 or size > 2**31 or expected not in (-1, size):
            raise InvalidInput(problem)
    return tuple(shape)


def _content(spec: TensorSpec, values: Values) -> Content:
    if isinstance(values, list):
        return EncodedImages(values)
    if spec.name == "pixels":
        return Pixels(values.astype(np.uint8, copy=False))
    if not np.isfinite(values).all():
        raise InvalidInput(f"input {spec.name!r} holds NaN or infinity; every value must be a finite number")
    return Tensor(values.astype(np.float32, copy=False))
