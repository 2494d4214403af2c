"""What the frontend answers itself, and how it ends."""

import asyncio
import json
import socket
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from frontends import (
    MAX_BODY_BYTES,
    PICTURE,
    Frontend,
    Model,
    running_frontend,
    said,
)
from servers import wait_until


async def test_the_catalogue_says_how_each_model_is(
    frontend: Frontend, client: httpx.AsyncClient, model: Model
) -> None:
    expected = [{"id": "cats", "state": "ready"}, {"id": "none", "state": "down"}]
    assert (await client.get("/catalogue")).json() == {"models": expected, "max_body_bytes": MAX_BODY_BYTES}
    assert "none is down" in said(await client.get("/v2/health/ready"), 503)
    assert (await client.get("/v2/health/live")).json() == {"live": True}  # it stays up when they are down
    model.ready = lambda _: web.json_response({"error": "model 'cats' is loading"}, status=503)
    frontend.write({"cats": model.url})
    assert (await client.get("/catalogue")).json()["models"] == [{"id": "cats", "state": "loading"}]
    model.ready = lambda _: web.Response(status=503, text="<h1>no endpoints</h1>")
    frontend.write({"cats": model.url, "cats-2": model.url})
    assert {entry["state"] for entry in (await client.get("/catalogue")).json()["models"]} == {"down"}


async def test_an_answer_that_comes_in_pieces_is_read_to_its_end(frontend: Frontend, client: httpx.AsyncClient) -> None:
    async def pieces(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        for piece in (b'{"ready"', b": true}"):
            await answer.write(piece)
            await asyncio.sleep(0.05)
        return answer

    async def deep(_: web.Request) -> web.Response:
        return web.Response(text="[" * 60_000, content_type="application/json")

    app = web.Application()
    app.router.add_get("/v2/models/cats/ready", pieces)
    app.router.add_get("/v2/models/deep/ready", deep)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        frontend.write({"cats": url, "deep": url})
        states = (await client.get("/catalogue")).json()["models"]
    assert states == [{"id": "cats", "state": "ready"}, {"id": "deep", "state": "down"}]


async def test_clients_of_the_protocol_are_answered_in_json(
    frontend: Frontend, client: httpx.AsyncClient, model: Model
) -> None:
    assert (await client.get("/v2/models")).json() == {"models": ["cats", "none"]}
    assert (await client.get("/v2")).json()["name"] == "kserve-vision"
    frontend.write({"cats": model.url})
    assert (await client.get("/v2/health/ready")).json() == {"ready": True}


@pytest.mark.parametrize("path", ["/", "/catalogue", "/v2/models", "/model/none", "/nothing", "/model/cats"])
async def test_every_answer_allows_the_pages_own_code_only(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


async def test_the_page_is_asked_about_and_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/")
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    again = await client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


async def test_what_has_begun_is_finished_when_it_is_told_to_end(model: Model, tmp_path: Path) -> None:
    may_answer = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        await may_answer.wait()
        return await model.predict(request)

    model.answer = wait
    with running_frontend(tmp_path, {"cats": model.url}) as frontend:
        async with httpx.AsyncClient(base_url=frontend.url, timeout=30) as client:
            asking = asyncio.create_task(client.post("/model/cats/predict", content=PICTURE))
            while not model.asked:
                await asyncio.sleep(0.01)
            frontend.process.terminate()
            await asyncio.to_thread(wait_until, lambda: refuses(frontend.port))
            may_answer.set()
            assert (await asking).json() == {"bytes": len(PICTURE)}
        assert await asyncio.to_thread(frontend.process.wait, 30) == 0


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return True
    return False


async def test_a_line_of_json_is_logged_for_each_request_of_a_model(
    frontend: Frontend, client: httpx.AsyncClient
) -> None:
    before = len(frontend.log.read_text())
    for path in ("/v2/health/live", "/catalogue", "/model/dogs"):
        await client.get(path)
    await asyncio.to_thread(wait_until, lambda: "/model/dogs" in frontend.log.read_text()[before:])
    lines = [json.loads(line) for line in frontend.log.read_text()[before:].splitlines() if line.startswith("{")]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [("GET", "/model/dogs", 404)]
