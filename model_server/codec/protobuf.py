"""Protobuf messages, before anybody looks at what is in them: parsed only where that stays small.

Two bytes may stand for an empty message that takes a hundred in memory, and while protobuf parses nothing else runs. So
what there is is counted first, as ``document`` does with JSON. https://protobuf.dev/programming-guides/encoding/.
"""

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from model_server.codec.document import MAX_CONTAINERS, MAX_VALUES
from model_server.errors import InvalidInput, TooLarge

MAX_VARINT_BYTES = 2 * MAX_VALUES
"""Of whole numbers in lists: as many as JSON may have, each of up to two bytes, which 255 takes."""
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_TEN_BYTES = 70
"""Bits of the longest varint."""
_IN_ONE_PIECE = (FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_STRING)
_FIXED = (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE)


def parse_message(data: bytes, message_type: type[Message]) -> Message:
    """Return the message in a call.

    Raises:
        InvalidInput: not protobuf, or of another type.
        TooLarge: of more than ``MAX_CONTAINERS`` fields, or more than ``MAX_VARINT_BYTES`` of whole numbers.
    """
    try:
        _check_size(data, message_type.DESCRIPTOR)
        message: Message = message_type.FromString(data)
    except (DecodeError, IndexError) as error:
        raise InvalidInput(f"the message can't be read; send a {message_type.__name__}") from error
    return message


def _check_size(data: bytes, descriptor: Descriptor) -> None:
    """Walk over every field; what is not protobuf is left for the parser to refuse."""
    fields = varint_bytes = 0
    parts = [(0, len(data), descriptor)]
    while parts:
        position, end, within = parts.pop()
        while position < end:
            fields += 1
            if fields > MAX_CONTAINERS:
                raise _too_large(f"{MAX_CONTAINERS} fields")
            tag, position = _read_varint(data, position)
            if tag & 7 == _VARINT:
                _, position = _read_varint(data, position)
            elif tag & 7 == _DELIMITED:
                length, position = _read_varint(data, position)
                field = within.fields_by_number.get(tag >> 3)
                if field and field.message_type:
                    parts.append((position, min(position + length, end), field.message_type))
                elif field and field.type not in _IN_ONE_PIECE + _FIXED:
                    varint_bytes += length
                    if varint_bytes > MAX_VARINT_BYTES:
                        raise _too_large(f"{MAX_VARINT_BYTES} bytes of whole numbers")
                position += length
            else:
                position += {_FIXED64: 8, _FIXED32: 4}.get(tag & 7, 0)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, _TEN_BYTES, 7):
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise DecodeError("a number of more than ten bytes")


def _too_large(most: str) -> TooLarge:
    return TooLarge(f"the message has more than {most}; send fewer images, or tensors as raw_input_contents")
