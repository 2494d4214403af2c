"""Counting what is in a protobuf message before it is parsed."""

import contextlib
from typing import Any

import pytest
from google.protobuf.struct_pb2 import ListValue, Struct
from google.protobuf.wrappers_pb2 import BytesValue
from hypothesis import given
from hypothesis import strategies as st

from model_server.codec.document import MAX_CONTAINERS
from model_server.codec.protobuf import MAX_VARINT_BYTES, parse_message
from model_server.errors import InvalidInput, TooLarge

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), VALUES))
def test_what_was_written_is_read(values: dict[str, Any]) -> None:
    message = Struct()
    message.update(values)
    assert parse_message(message.SerializeToString(), Struct) == message


@given(st.binary())
def test_no_bytes_are_worse_than_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        parse_message(data, Struct)


def test_as_many_fields_as_may_be() -> None:
    assert len(parse_message(b"\x0a\0" * MAX_CONTAINERS, ListValue).values) == MAX_CONTAINERS
    with pytest.raises(TooLarge, match=f"{MAX_CONTAINERS} fields"):
        parse_message(b"\x0a\0" * (MAX_CONTAINERS + 1), ListValue)


def test_bytes_are_no_fields() -> None:
    value = b"\x0a\0" * MAX_VARINT_BYTES
    assert parse_message(BytesValue(value=value).SerializeToString(), BytesValue).value == value


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x05a", b"\xff" * 20, b"\x08", b"\x09aaa"])
def test_half_a_field_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="can't be read; send a Struct"):
        parse_message(data, Struct)
