"""How much, and how long, the frontend takes of a client."""

import asyncio

import pytest
from aiohttp import web
from frontends import (
    MAX_BODY_BYTES,
    Frontend,
    Model,
    exchange,
)


def head(length: str, path: str = "/model/cats/predict") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: page\r\n{length}\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize(
    "parts",
    [
        [head(f"Content-Length: {MAX_BODY_BYTES + 1}"), b"x" * (MAX_BODY_BYTES + 1)],
        [head("Transfer-Encoding: chunked"), *[b"80000\r\n" + b"x" * 0x80000 + b"\r\n"] * 9, b"0\r\n\r\n"],
    ],
    ids=["declared", "chunked"],
)
async def test_a_body_over_the_limit_is_refused_and_the_answer_seen(
    frontend: Frontend, model: Model, parts: list[bytes]
) -> None:
    answer = await exchange(frontend.port, *parts)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"is more than the {MAX_BODY_BYTES} bytes that are taken" in answer.decode()
    assert model.bodies == []


@pytest.mark.parametrize("kept", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
async def test_who_goes_on_sending_sees_the_refusal(frontend: Frontend, kept: bytes) -> None:
    slow = b"POST /model/cats/predict HTTP/1.1\r\nHost: page\r\n" + kept + b"Content-Length: 200000\r\n\r\n"
    answer = await exchange(frontend.port, slow, *[b"x"] * 8, pause=0.2)
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_body_with_two_lengths_is_refused(frontend: Frontend, model: Model) -> None:
    both = head("Content-Length: 60000\r\nTransfer-Encoding: chunked")
    answer = await exchange(frontend.port, both, b"1\r\nx\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Transfer-Encoding can't be present with Content-Length" in answer
    assert model.asked == []


async def test_a_body_in_crumbs_is_refused(frontend: Frontend) -> None:
    answer = await exchange(frontend.port, head("Transfer-Encoding: chunked"), b"1\r\nx\r\n" * 2000)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"the body comes in pieces of less than 256 bytes" in answer


@pytest.mark.parametrize("arrived", [1, 100_000], ids=["held", "flowing"])
async def test_a_body_that_does_not_arrive_in_time_is_refused(frontend: Frontend, model: Model, arrived: int) -> None:
    answer = await exchange(frontend.port, head("Content-Length: 200000"), b"x" * arrived)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body did not arrive within 1 seconds" in answer
    assert len(model.asked) == (arrived > 1)  # who sends byte by byte keeps no model waiting


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a"])
async def test_a_head_that_does_not_arrive_ends_the_connection(frontend: Frontend, begun: bytes) -> None:
    answer = await asyncio.wait_for(exchange(frontend.port, begun), 20)
    assert answer.startswith(b"HTTP/1.1 408 ") if begun else answer == b""


async def test_a_model_that_refuses_before_the_end_of_a_body_is_heard(frontend: Frontend, model: Model) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": "enough"}, status=413)

    model.answer = refuse
    answer = await exchange(frontend.port, head("Content-Length: 2000000"), b"x" * 1_000_000)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'{"error": "enough"}' in answer
