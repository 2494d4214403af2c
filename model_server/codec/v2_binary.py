"""V2's binary tensor extension: raw tensors behind the JSON, in the order of the JSON.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md. Numbers are
little-endian and row-major; each BYTES element has its length before it, 4 bytes, little-endian.
"""

import math
import struct
from collections.abc import Iterable

import numpy as np

from model_server.codec.v2 import DTYPES, OutputTensor, Values, check_count
from model_server.errors import InvalidInput
from model_server.excerpt import shorten
from model_server.types import TensorSpec

LENGTH_HEADER = "Inference-Header-Content-Length"
COPIED_PER_PARSED = 32
"""How many bytes are copied while one of JSON is parsed, about."""
_LONGEST_LENGTH = 20
_PREFIX = struct.Struct("<I")


def weigh(body: bytes, header_length: str | None) -> int:
    """Return how long a body takes to decode, in bytes of JSON that would take as long: tensors are only copied."""
    if header_length is None or not header_length.isdecimal() or len(header_length) >= _LONGEST_LENGTH:
        return len(body)
    length = min(int(header_length), len(body))
    return length + (len(body) - length) // COPIED_PER_PARSED


class BinaryReader:
    """A request body, cut into its JSON ``header`` and the tensors that follow it, read one after the other.

    Raises:
        InvalidInput: ``header_length`` is no length, or reaches past the body.
    """

    def __init__(self, body: bytes, header_length: str | None) -> None:
        length = len(body)
        if header_length is not None:
            if not (header_length.isascii() and header_length.isdecimal() and len(header_length) < _LONGEST_LENGTH):
                raise InvalidInput(
                    f"{LENGTH_HEADER} = {shorten(header_length)}; it must be the number of bytes of the JSON"
                )
            length = int(header_length)
            if not 0 < length <= len(body):
                raise InvalidInput(f"{LENGTH_HEADER} = {length}; it must be from 1 to the body's {len(body)} bytes")
        self.header = body[:length]  # which is the body itself where nothing follows
        self._rest = memoryview(body)[length:]

    def read(self, spec: TensorSpec, shape: tuple[int, ...], size: object) -> Values:
        """Return the next tensor, of ``size`` bytes.

        Raises:
            InvalidInput: ``size`` is no size, reaches past the body, or is not what the shape needs.
        """
        if type(size) is not int or not 0 <= size <= len(self._rest):
            raise InvalidInput(
                f"input {spec.name!r}: binary_data_size = {shorten(size)}; {len(self._rest)} bytes are left in the body"
            )
        data, self._rest = self._rest[:size], self._rest[size:]
        return read_raw(spec, shape, data, f"binary_data_size = {size}")

    def check_nothing_is_left(self) -> None:
        """Refuse bytes that no tensor claims.

        Raises:
            InvalidInput: there are some.
        """
        if self._rest:
            raise InvalidInput(
                f"{len(self._rest)} bytes are left over after the last tensor; binary_data_size is too small, "
                f"or {LENGTH_HEADER} is"
            )


def read_raw(spec: TensorSpec, shape: tuple[int, ...], data: memoryview, size: str) -> Values:
    """Return a tensor's values, without copying numbers; ``size`` is what an error says of how long the data is.

    Raises:
        InvalidInput: the data is not what the shape needs.
    """
    if spec.datatype == "BYTES":
        return split_bytes(spec.name, data, shape)
    dtype = DTYPES[spec.datatype]
    if len(data) % dtype.itemsize:
        raise InvalidInput(f"input {spec.name!r}: {size}; {spec.datatype} takes a multiple of {dtype.itemsize}")
    check_count(spec.name, shape, len(data) // dtype.itemsize)
    return np.frombuffer(data, dtype).reshape(shape)


def split_bytes(name: str, data: memoryview, shape: tuple[int, ...]) -> list[bytes]:
    """Cut a BYTES tensor into its elements.

    Raises:
        InvalidInput: a length reaches past the data, or their number is not the shape's.
    """
    expected = math.prod(shape)
    elements: list[bytes] = []
    position = 0
    while position < len(data):
        begin = position + _PREFIX.size
        if begin > len(data):
            raise InvalidInput(f"input {name!r}: element {len(elements)} ends within its 4-byte length")
        (length,) = _PREFIX.unpack_from(data, position)
        position = begin + length
        if position > len(data):
            raise InvalidInput(
                f"input {name!r}: element {len(elements)} is {length} bytes by its length prefix, "
                f"{len(data) - begin} are left"
            )
        if len(elements) == expected:
            raise InvalidInput(
                f"input {name!r}: shape {list(shape)} holds {expected} values, {expected + 1} or more were given"
            )
        elements.append(bytes(data[begin:position]))
    check_count(name, shape, len(elements))
    return elements


def to_binary(tensor: OutputTensor) -> bytes:
    """Write a tensor's values as the extension has them."""
    if isinstance(tensor.values, list):
        return b"".join(part for value in tensor.values for part in (_PREFIX.pack(len(value)), value))
    return tensor.values.astype(DTYPES[tensor.datatype], copy=False).tobytes()


def join_binary(header: bytes, blobs: Iterable[bytes]) -> bytes:
    """Put the tensors behind the JSON."""
    return b"".join((header, *blobs))
