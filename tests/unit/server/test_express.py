"""The short way answers what its routes take, and leaves everything else to the app."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from model_server.express import Express


async def greet(request: Request) -> Response:
    if request.path_params["name"] == "nobody":
        raise LookupError("nobody")
    if request.path_params["name"] == "everybody":
        raise ValueError("everybody")
    return PlainTextResponse(f"hello {request.path_params['name']}")


async def say_unknown(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 404)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route("/greet/{name}", greet, methods=["POST"])]
    transport = httpx.ASGITransport(Express(PlainTextResponse("the app"), routes, {LookupError: say_unknown}))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as made:
        yield made


async def test_a_route_is_answered_with_what_its_path_holds(client: httpx.AsyncClient) -> None:
    assert (await client.post("/greet/ann")).text == "hello ann"


@pytest.mark.parametrize(("method", "path"), [("GET", "/greet/ann"), ("POST", "/greet"), ("POST", "/greet/ann/x")])
async def test_another_method_and_path_are_the_apps(client: httpx.AsyncClient, method: str, path: str) -> None:
    assert (await client.request(method, path)).text == "the app"


async def test_an_error_with_a_handler_is_its_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/greet/nobody")
    assert (answer.status_code, answer.json()) == (404, {"error": "nobody"})


async def test_another_error_passes_through(client: httpx.AsyncClient) -> None:
    with pytest.raises(ValueError, match="everybody"):
        await client.post("/greet/everybody")
