"""What the frontend passes on to models, and what it does not."""

from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web
from frontends import LARGE, PICTURE, Model, said


@pytest.mark.parametrize("body", [b"", PICTURE, LARGE], ids=["nothing", "held", "flowing"])
async def test_a_picture_reaches_the_model_as_it_was_sent(client: httpx.AsyncClient, model: Model, body: bytes) -> None:
    headers = {"Content-Type": "image/png", "Cookie": "ours=1", "Authorization": "Bearer secret", "traceparent": "00-1"}
    answer = await client.post("/model/cats/predict?top_k=3&label=%C3%A4%26", content=body, headers=headers)
    assert answer.json() == {"bytes": len(body)}
    (asked,) = model.asked
    assert (asked.path_qs, model.bodies) == ("/model/cats/predict?top_k=3&label=%C3%A4%26", [body])
    assert (asked.headers["content-type"], asked.headers["traceparent"]) == ("image/png", "00-1")
    assert asked.headers["content-length"] == str(len(body))
    assert not {"cookie", "authorization"} & {name.lower() for name in asked.headers}


async def test_of_an_answers_headers_only_the_known_ones_come_back(client: httpx.AsyncClient) -> None:
    answer = await client.post("/model/cats/predict", content=PICTURE)
    assert answer.headers["server-timing"] == "model;dur=1.5"
    assert not {"set-cookie", "server"} & set(answer.headers)


async def test_a_body_without_a_length_flows_too(client: httpx.AsyncClient, model: Model) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield LARGE[: 1 << 17]

    assert (await client.post("/model/cats/predict", content=chunks())).json() == {"bytes": 1 << 20}
    assert model.asked[0].headers["transfer-encoding"] == "chunked"


@pytest.mark.parametrize("status", [400, 413, 415, 429, 503])
async def test_a_models_refusal_is_passed_on_word_by_word(client: httpx.AsyncClient, model: Model, status: int) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": "in the model's words"}, status=status, headers={"Retry-After": "7"})

    model.answer = refuse
    answer = await client.post("/model/cats/predict", content=LARGE)
    assert (answer.status_code, answer.json()) == (status, {"error": "in the model's words"})
    assert answer.headers["retry-after"] == "7"


async def test_a_sample_and_the_card_are_passed_on(client: httpx.AsyncClient, model: Model) -> None:
    async def show(request: web.Request) -> web.Response:
        if request.path.endswith("/samples/3"):
            return web.Response(body=PICTURE, content_type="image/png", headers={"Cache-Control": "max-age=3600"})
        return web.json_response({"model": "cats"})

    model.answer = show
    sample = await client.get("/model/cats/samples/3")
    assert (sample.content, sample.headers["cache-control"]) == (PICTURE, "max-age=3600")
    assert (await client.get("/model/cats")).json() == {"model": "cats"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/model/dogs", "model 'dogs' is not there; these are: cats, none"),
        ("/model/dogs/predict", "GET is not taken"),
        ("/model/cats/samples/-1", "'-1' is not a sample's number; /model/cats lists them"),
        ("/model/cats/samples/1%2F..%2F..", "is not a path of this server"),
        ("/model/cats%2F..%2Fdogs", "is not a path of this server"),
        ("/model/..%2Fv2%2Frepository", "is not a path of this server"),
        ("/v2/models/cats", "is not a path of this server"),
        ("/v2/repository/index", "is not a path of this server"),
        ("/page/..%2fsettings.py", "is not a path of this server"),
        ("/page/", "is not a path of this server"),
        ("/metrics", "is not a path of this server"),
    ],
)
async def test_what_is_not_there_reaches_no_model(
    client: httpx.AsyncClient, model: Model, path: str, words: str
) -> None:
    assert words in said(await client.get(path), 405 if "GET" in words else 404)
    assert model.asked == []


async def test_a_wrong_method_is_told_the_right_one(client: httpx.AsyncClient) -> None:
    answer = await client.get("/model/cats/predict")
    assert "send POST" in said(answer, 405)
    assert answer.headers["allow"] == "POST"
