"""V2 over gRPC: GRPCInferenceService's messages ⇄ domain values.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto. Tensors
come as typed ``contents`` or as ``raw_input_contents``, laid out as in ``v2_binary``; answers go the way they came.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from model_server.codec.grpc_messages import message_type
from model_server.codec.options import PARAMETERS
from model_server.codec.v2 import (
    DTYPES,
    InputTensor,
    OutputTensor,
    Values,
    check_count,
    check_input_count,
    check_no_classification,
    check_outputs,
    describe_model,
    read_query,
    write_outputs,
)
from model_server.codec.v2_binary import read_raw, to_binary
from model_server.errors import InvalidInput
from model_server.types import Answer, ModelState, Query, Signature, TensorSpec

_CONTENTS = {"BYTES": "bytes_contents", "UINT8": "uint_contents", "FP32": "fp32_contents", "INT64": "int64_contents"}
"""The field of InferTensorContents that holds each datatype."""
_READ_AS = {"UINT8": np.uint32, "FP32": np.float32}
"""What the field's numbers are."""
_MAX_DIMENSIONS_READ = 100
"""More than any shape has, enough to show that one is wrong."""
_TRITONS_MODEL_NAME, _TRITONS_PARAMETERS = 2, 3
"""Triton's field numbers in load and unload requests, where 1 is the repository's name; KServe's 1 is the model's."""

ModelInferResponse = message_type("ModelInferResponse")
ModelMetadataResponse = message_type("ModelMetadataResponse")


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded request: the query, and how the client wants to be answered."""

    query: Query
    request_id: str
    outputs: list[str]
    raw: bool


def decode_infer(message: Any, signature: Signature) -> Request:
    """Read a ModelInferRequest.

    Raises:
        InvalidInput: the request is not what the protocol or the model has it; the message names the field.
        TooLarge: more images than the model takes.
    """
    for output in message.outputs:
        check_no_classification(f"output {output.name!r}", output.parameters)
    outputs = check_outputs([output.name for output in message.outputs], signature)
    check_input_count(len(message.inputs), signature)
    raw: Sequence[bytes] = message.raw_input_contents
    if raw and len(raw) != len(message.inputs):
        raise InvalidInput(f"raw_input_contents holds {len(raw)} tensors, inputs {len(message.inputs)}; give one each")
    inputs = [_input(tensor, raw[index] if raw else None) for index, tensor in enumerate(message.inputs)]
    query = read_query(inputs, _parameters(message.parameters), outputs, signature)
    return Request(query, message.id, outputs, bool(raw))


def encode_infer(answer: Answer, request: Request, signature: Signature) -> bytes:
    """Write a ModelInferResponse."""
    response: Any = ModelInferResponse(
        model_name=signature.name, model_version=signature.version, id=request.request_id
    )
    for tensor in write_outputs(answer, request.outputs):
        output = response.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        if request.raw:
            response.raw_output_contents.append(to_binary(tensor))
        else:
            getattr(output.contents, _CONTENTS[tensor.datatype]).extend(_flat(tensor))
    data: bytes = response.SerializeToString()
    return data


def encode_metadata(signature: Signature) -> Message:
    """Write a ModelMetadataResponse."""
    return ModelMetadataResponse(**describe_model(signature))


def encode_index(states: Iterable[ModelState]) -> Message:
    """Write a RepositoryIndexResponse."""
    return message_type("RepositoryIndexResponse")(models=[asdict(state) for state in states])


def decode_load(message: Any) -> str:
    """Return the model that a RepositoryModelLoadRequest names.

    Raises:
        InvalidInput: it has parameters, which in Triton's request stand for another configuration or other files.
    """
    if any(field.field_number == _TRITONS_PARAMETERS for field in UnknownFieldSet(message)):
        raise InvalidInput("parameters are not taken: a model is loaded as its bundle is; leave them out")
    return decode_unload(message)


def decode_unload(message: Any) -> str:
    """Return the model that a RepositoryModelUnloadRequest names, as KServe or as Triton lays it out."""
    for field in UnknownFieldSet(message):
        if field.field_number == _TRITONS_MODEL_NAME and isinstance(field.data, bytes):
            return field.data.decode(errors="replace")
    name: str = message.model_name
    return name


def _input(tensor: Any, raw: bytes | None) -> InputTensor:
    def read(spec: TensorSpec, shape: tuple[int, ...]) -> Values:
        if raw is None:
            return _from_contents(spec, shape, tensor.contents)
        if tensor.HasField("contents"):
            raise InvalidInput(f"input {spec.name!r} has contents beside raw_input_contents; give one of them")
        return read_raw(spec, shape, memoryview(raw), f"raw_input_contents holds {len(raw)} bytes")

    return InputTensor(tensor.name, tensor.datatype, list(tensor.shape[:_MAX_DIMENSIONS_READ]), read)


def _from_contents(spec: TensorSpec, shape: tuple[int, ...], contents: Any) -> Values:
    wanted = _CONTENTS[spec.datatype]
    for field, _ in contents.ListFields():
        if field.name != wanted:
            raise InvalidInput(f"input {spec.name!r} has contents.{field.name}; {spec.datatype} goes into {wanted}")
    values = getattr(contents, wanted)
    check_count(spec.name, shape, len(values))
    if spec.datatype == "BYTES":
        return list(values)
    array = np.fromiter(values, _READ_AS[spec.datatype], len(values))
    if spec.datatype == "UINT8" and array.max(initial=0) > 255:
        raise InvalidInput(f"input {spec.name!r}: {wanted} holds {array.max()}; whole numbers from 0 to 255 are taken")
    return array.astype(DTYPES[spec.datatype]).reshape(shape)


def _flat(tensor: OutputTensor) -> list[Any]:
    return tensor.values if isinstance(tensor.values, list) else tensor.values.ravel().tolist()


def _parameters(parameters: Mapping[str, Any]) -> dict[str, object]:
    """Return those that count, as JSON would give them; one without a value that is known is an empty text."""
    given = [name for name in PARAMETERS if name in parameters]
    chosen = {name: parameters[name].WhichOneof("parameter_choice") for name in given}
    return {name: getattr(parameters[name], choice) if choice else "" for name, choice in chosen.items()}
