"""A body is what was sent, however large it is and in however many pieces it comes."""

import random

import pytest
from starlette.requests import Request
from starlette.types import Message

from model_server.allocator import MAPPED_BYTES
from model_server.errors import TooLarge
from model_server.request_body import read_body

PIECE = 200_000
DATA = random.Random(0).randbytes(2 * MAPPED_BYTES)
SIZES = [0, 1, PIECE, MAPPED_BYTES, MAPPED_BYTES + 1, 2 * MAPPED_BYTES]


def request(body: bytes) -> Request:
    pieces = [body[begin : begin + PIECE] for begin in range(0, len(body), PIECE)] or [b""]
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    left = iter(messages)

    async def receive() -> Message:
        return next(left)

    return Request({"type": "http", "headers": []}, receive)


@pytest.mark.parametrize("size", SIZES)
async def test_a_body_is_what_was_sent(size: int) -> None:
    assert await read_body(request(DATA[:size]), max_bytes=size, timeout_seconds=60) == DATA[:size]


@pytest.mark.parametrize("size", SIZES[1:])
async def test_a_byte_too_many(size: int) -> None:
    with pytest.raises(TooLarge, match="this one has more"):
        await read_body(request(DATA[:size]), max_bytes=size - 1, timeout_seconds=60)
