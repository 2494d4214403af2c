"""Small messages that decompress to a lot of work: the server refuses them, and answers others meanwhile."""

from collections.abc import Callable

import grpc
import pytest
from doors import ANSWER_SECONDS, peak_memory_bytes
from grpc_doors import Client, assert_refused, unharmed
from servers import Server
from test_event_loop import GROWTH_BYTES, PLAIN_BYTES, always_live

INPUTS, OUTPUTS, PARAMETERS, RAW = b"\x2a", b"\x32", b"\x22", b"\x3a"
"""Tags of ModelInferRequest."""
COLOURS = b"\x0a\x07colours"
"""The model's name, as a field."""
SHAPE, CONTENTS = b"\x1a", b"\x2a"
"""Tags of InferInputTensor."""
UINTS, INT64S, BYTES = b"\x22", b"\x1a", b"\x42"
"""Tags of InferTensorContents."""
EXHAUSTED, INVALID = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT


def delimited(tag: bytes, data: bytes) -> bytes:
    """Return a field of that many bytes."""
    length, text = len(data), b""
    while length > 127:
        text += bytes([length & 127 | 128])
        length >>= 7
    return tag + text + bytes([length]) + data


def repeated(field: bytes) -> bytes:
    return field * (PLAIN_BYTES // len(field))


def named(number: int) -> bytes:
    """Return a parameter whose name is no other's."""
    return delimited(PARAMETERS, delimited(b"\x0a", f"{number:07x}".encode()))


def contents(field: bytes) -> bytes:
    return delimited(INPUTS, delimited(CONTENTS, field))


FIELDS = (EXHAUSTED, "more than 500000 fields", "fewer images")
NUMBERS = (EXHAUSTED, "more than 8000000 bytes of whole numbers", "raw_input_contents")
CASES: dict[str, tuple[Callable[[], bytes], tuple[grpc.StatusCode, str, str]]] = {
    "inputs": (lambda: repeated(INPUTS + b"\0"), FIELDS),
    "outputs": (lambda: repeated(OUTPUTS + b"\0"), FIELDS),
    "raw": (lambda: repeated(RAW + b"\0"), FIELDS),
    "parameters": (lambda: b"".join(named(number) for number in range(1_000_000)), FIELDS),
    "elements": (lambda: contents(repeated(BYTES + b"\0")), FIELDS),
    "numbers": (lambda: contents(delimited(UINTS, bytes(PLAIN_BYTES))), NUMBERS),
    "long-numbers": (lambda: contents(delimited(INT64S, bytes(PLAIN_BYTES))), NUMBERS),
    "dimensions": (lambda: delimited(INPUTS, delimited(SHAPE, bytes(PLAIN_BYTES))), NUMBERS),
    "unknown": (lambda: repeated(b"\x78\x01"), FIELDS),
    "nested": (lambda: delimited(INPUTS, repeated(CONTENTS + b"\0")), FIELDS),
    "fewer-inputs": (
        lambda: COLOURS + (INPUTS + b"\0") * 400_000,
        (INVALID, "400000 inputs", "exactly one"),
    ),
    "fewer-outputs": (
        lambda: COLOURS + (OUTPUTS + b"\0") * 400_000,
        (INVALID, "output name = ''", "labels"),
    ),
    "no-end": (lambda: b"\xff" * PLAIN_BYTES, (INVALID, "can't be read", "ModelInferRequest")),
}


@pytest.mark.parametrize("name", CASES)
def test_a_small_message_of_much_work_holds_nobody_up(own_server: Server, name: str) -> None:
    write, (code, *words) = CASES[name]
    data = write()
    before = peak_memory_bytes(own_server.process.pid)
    with grpc.insecure_channel(own_server.grpc_address) as channel, unharmed(Client(channel)) as client:
        with always_live(own_server.url):
            reply = client.infer(data, compression=grpc.Compression.Gzip, timeout=ANSWER_SECONDS)
        assert_refused(reply, code, *words)
    assert peak_memory_bytes(own_server.process.pid) - before < GROWTH_BYTES
