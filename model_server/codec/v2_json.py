"""V2 over REST: the JSON part of a request and of an answer; tensors may ride behind it, see ``v2_binary``."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson

from model_server.codec.base64_image import decode_base64
from model_server.codec.document import parse_document
from model_server.codec.v2 import (
    DTYPES,
    InputTensor,
    OutputTensor,
    Values,
    check_count,
    check_input_count,
    check_no_classification,
    check_outputs,
    read_query,
    write_outputs,
)
from model_server.codec.v2_binary import BinaryReader, join_binary, to_binary
from model_server.errors import InvalidInput
from model_server.excerpt import describe, shorten
from model_server.types import Answer, Query, Signature, TensorSpec


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded request: the query, and how the client wants to be answered.

    ``binary`` holds the names of the outputs that are to come as binary data.
    """

    query: Query
    request_id: str | None
    outputs: list[str]
    binary: frozenset[str]


def decode_v2(body: bytes, header_length: str | None, signature: Signature) -> Request:
    """Read an ``/infer`` body.

    Args:
        body: the HTTP body.
        header_length: the header ``Inference-Header-Content-Length``, where the client sent it.
        signature: of the model that is asked.

    Raises:
        InvalidInput: the request is not what the protocol or the model has it; the message names the field.
        TooLarge: more images than the model takes, or more values than JSON may hold.
    """
    binary = BinaryReader(body, header_length)
    document = parse_document(binary.header)
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise InvalidInput(f"id = {shorten(request_id)}; it must be a string")
    parameters = _mapping(document, "parameters", "the request")
    requested = _objects(document, "outputs", optional=True)
    outputs = check_outputs([entry.get("name") for entry in requested], signature)
    given = _objects(document, "inputs")
    check_input_count(len(given), signature)
    inputs = [_input(entry, binary) for entry in given]
    query = read_query(inputs, parameters, outputs, signature)
    binary.check_nothing_is_left()
    return Request(query, request_id, outputs, _binary_outputs(requested, outputs, parameters))


def encode_v2(answer: Answer, request: Request, signature: Signature) -> tuple[bytes, int | None]:
    """Write the answer.

    Returns:
        The HTTP body, and the length of its JSON part where binary data follows it, else None.
    """
    document: dict[str, Any] = {"model_name": signature.name, "model_version": signature.version}
    if request.request_id is not None:
        document["id"] = request.request_id
    blobs: list[bytes] = []
    document["outputs"] = entries = []
    for tensor in write_outputs(answer, request.outputs):
        entry: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
        }
        if tensor.name in request.binary:
            blobs.append(to_binary(tensor))
            entry["parameters"] = {"binary_data_size": len(blobs[-1])}
        else:
            entry["data"] = _to_json(tensor)
        entries.append(entry)
    header = orjson.dumps(document)
    return join_binary(header, blobs), len(header) if blobs else None


def _to_json(tensor: OutputTensor) -> list[Any]:
    if isinstance(tensor.values, list):
        return [value.decode() for value in tensor.values]
    values: list[Any] = tensor.values.ravel().tolist()
    return values


def _input(entry: dict[str, Any], binary: BinaryReader) -> InputTensor:
    parameters = _mapping(entry, "parameters", f"input {shorten(entry.get('name'))}")
    size = parameters.get("binary_data_size")

    def read(spec: TensorSpec, shape: tuple[int, ...]) -> Values:
        if size is not None:
            if "data" in entry:
                raise InvalidInput(f"input {spec.name!r} has data and binary_data_size; give one of them")
            return binary.read(spec, shape, size)
        return _from_json(spec, shape, entry.get("data"))

    return InputTensor(entry.get("name"), entry.get("datatype"), entry.get("shape"), read)


def _from_json(spec: TensorSpec, shape: tuple[int, ...], data: object) -> Values:
    if not isinstance(data, list) or not data:
        raise InvalidInput(
            f"input {spec.name!r}: {describe('data', data)}; it must be a list of values, "
            "or parameters.binary_data_size must say that they follow the JSON"
        )
    values = _flatten(spec.name, data, shape)
    kinds = set(map(type, values))
    if spec.datatype == "BYTES":
        if kinds != {str}:
            raise InvalidInput(f"input {spec.name!r}: in JSON every element of data must be a base64 string")
        return [decode_base64(text, f"input {spec.name!r}: data[{index}]") for index, text in enumerate(values)]
    accepted, wanted = ({int}, "whole numbers from 0 to 255") if spec.datatype == "UINT8" else ({int, float}, "numbers")
    if not kinds <= accepted:
        raise InvalidInput(f"input {spec.name!r}: data holds {_names(kinds)}; it must hold {wanted}")
    try:
        with np.errstate(over="ignore"):  # a number past FP32 becomes infinity, which is refused as such
            return np.array(values, dtype=DTYPES[spec.datatype]).reshape(shape)
    except OverflowError as error:  # UINT8's alone: every number that JSON gives fits a float
        wrong = next(value for value in values if not 0 <= value <= 255)
        raise InvalidInput(f"input {spec.name!r}: data holds {wrong}; it must hold {wanted}") from error


def _flatten(name: str, data: list[Any], shape: tuple[int, ...]) -> list[Any]:
    """Return the values of a flat list, or of lists nested as the shape says."""
    if not isinstance(data[0], list):
        check_count(name, shape, len(data))
        return data
    level: list[Any] = [data]
    for size in shape:
        if any(type(part) is not list or len(part) != size for part in level):
            raise InvalidInput(
                f"input {name!r}: data is not nested as its shape {list(shape)} says; nest it so, or not"
            )
        level = list(chain.from_iterable(level))
    return level


def _names(kinds: set[type]) -> str:
    names = {
        bool: "booleans",
        str: "strings",
        float: "fractions",
        int: "numbers",
        list: "lists",
        dict: "objects",
    }
    return " and ".join(sorted(names.get(kind, "nulls") for kind in kinds))


def _binary_outputs(
    requested: Sequence[dict[str, Any]], names: list[str], parameters: dict[str, Any]
) -> frozenset[str]:
    default = _flag(parameters, "binary_data_output", "the request")
    chosen = dict.fromkeys(names, default)
    for entry in requested:
        where = f"output {entry['name']!r}"
        own = _mapping(entry, "parameters", where)
        check_no_classification(where, own)
        if "binary_data" in own:
            chosen[entry["name"]] = _flag(own, "binary_data", where)
    return frozenset(name for name, binary in chosen.items() if binary)


def _flag(parameters: dict[str, Any], name: str, where: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInput(f"{where}: {name} = {shorten(value)}; it must be true or false")
    return value


def _mapping(document: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{where}: {key} = {shorten(value)}; it must be an object")
    return value


def _objects(document: dict[str, Any], key: str, *, optional: bool = False) -> list[dict[str, Any]]:
    value = document.get(key)
    if value is None and optional:
        return []
    if not isinstance(value, list) or not (value or optional) or not all(isinstance(entry, dict) for entry in value):
        raise InvalidInput(f"{describe(key, value)}; it must be a list of objects, at least one")
    return value
