"""What the frontend answers, and does, where a model does not answer."""

import asyncio
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from frontends import (
    LARGE,
    MAX_BODY_BYTES,
    PICTURE,
    Frontend,
    Model,
    running_frontend,
    said,
)
from servers import free_port


async def test_a_model_that_is_down_is_said_to_be_with_when_to_come_back(client: httpx.AsyncClient) -> None:
    assert "model 'none' does not answer" in said(await client.post("/model/none/predict", content=LARGE), 503)
    assert "model 'none' does not answer" in said(await client.get("/model/none"), 503)


@pytest.mark.parametrize("body", [PICTURE, LARGE], ids=["held", "flowing"])
async def test_a_model_that_comes_a_moment_later_gets_the_request(
    frontend: Frontend, client: httpx.AsyncClient, model: Model, body: bytes
) -> None:
    port = free_port()
    frontend.write({"late": f"http://127.0.0.1:{port}"})
    asking = asyncio.create_task(client.post("/model/late/predict", content=body))
    await asyncio.sleep(0.05)  # the first attempt is refused
    async with TestServer(model.app, port=port):
        assert (await asking).json() == {"bytes": len(body)}


async def test_a_short_request_that_a_dying_pod_dropped_is_sent_once_more(
    client: httpx.AsyncClient, model: Model
) -> None:
    async def drop_the_first(request: web.Request) -> web.Response:
        if len(model.asked) > 1:
            return await model.predict(request)
        request.transport.abort()
        return web.Response()

    model.answer = drop_the_first
    assert (await client.post("/model/cats/predict", content=PICTURE)).json() == {"bytes": len(PICTURE)}
    assert len(model.asked) == 2


@pytest.mark.parametrize(("body", "times"), [(PICTURE, 2), (LARGE, 1)], ids=["held", "flowing"])
async def test_what_takes_pods_down_is_not_shown_to_all_of_them(
    client: httpx.AsyncClient, model: Model, body: bytes, times: int
) -> None:
    async def drop(request: web.Request) -> web.Response:
        request.transport.abort()
        return web.Response()

    model.answer = drop
    assert "model 'cats' does not answer" in said(await client.post("/model/cats/predict", content=body), 503)
    assert len(model.asked) == times


@pytest.mark.parametrize(
    ("theirs", "status", "words"),
    [
        ((502, "text/html"), 503, "what stands before model 'cats' answered 502 Bad Gateway (text/html)"),
        ((503, "text/plain"), 503, "answered 503 Service Unavailable (text/plain)"),
        ((504, "text/html"), 503, "answered 504 Gateway Timeout (text/html)"),
        ((413, "text/html"), 413, "answered 413"),
        ((404, "text/plain"), 404, "answered 404 Not Found (text/plain)"),
        ((302, "text/html"), 502, "answered 302 Found (text/html), which is no model's answer"),
        ((200, "text/html"), 502, "answered 200 OK (text/html), which is no model's answer"),
    ],
)
async def test_a_proxys_page_becomes_words(
    client: httpx.AsyncClient, model: Model, theirs: tuple[int, str], status: int, words: str
) -> None:
    async def page(_: web.Request) -> web.Response:
        headers = {"Content-Type": theirs[1], "Location": "http://elsewhere.example.com"}
        return web.Response(status=theirs[0], body=b"<h1>nginx</h1>", headers=headers)

    model.answer = page
    assert words in said(await client.post("/model/cats/predict", content=PICTURE), status)


@pytest.mark.parametrize("body", [PICTURE, LARGE], ids=["held", "flowing"])
async def test_a_model_that_does_not_answer_in_time_is_left(
    client: httpx.AsyncClient, model: Model, body: bytes
) -> None:
    async def never(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(60)
        return web.Response()

    model.answer = never
    words = said(await client.post("/model/cats/predict", content=body), 504)
    assert words == "model 'cats' did not answer within 1 seconds"


async def test_a_model_that_does_not_read_is_left(client: httpx.AsyncClient, model: Model) -> None:
    """What it does not read stays in the connection, whose buffers are full before all has been sent."""

    async def never(request: web.Request) -> web.Response:
        await asyncio.sleep(4)
        request.transport.abort()
        return web.Response()

    model.answer = never
    huge = MAX_BODY_BYTES * b"x"
    said(await client.post("/model/cats/predict", content=huge), 504)


async def test_an_answer_that_stalls_is_broken_off(client: httpx.AsyncClient, model: Model) -> None:
    async def stall(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b"{")
        await asyncio.sleep(4)
        return answer

    model.answer = stall
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("/model/cats/predict", content=PICTURE)


async def test_a_question_that_takes_pods_down_is_asked_twice_at_most(client: httpx.AsyncClient, model: Model) -> None:
    async def drop(request: web.Request) -> web.Response:
        request.transport.abort()
        return web.Response()

    model.answer = drop
    said(await client.get("/model/cats"), 503)
    assert len(model.asked) <= 2


@pytest.mark.parametrize("body", [PICTURE, LARGE], ids=["held", "flowing"])
async def test_when_the_client_leaves_the_model_is_let_go(model: Model, tmp_path: Path, body: bytes) -> None:
    async def wait(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(4)
        return web.Response()

    async def let_go() -> None:
        while model.asked[0].transport is not None and not model.asked[0].transport.is_closing():
            await asyncio.sleep(0.01)

    model.answer = wait
    with running_frontend(tmp_path, {"cats": model.url}) as frontend:  # whose own limits are far off
        async with httpx.AsyncClient(base_url=frontend.url) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post("/model/cats/predict", content=body, timeout=0.5)
        await asyncio.wait_for(let_go(), 10)
