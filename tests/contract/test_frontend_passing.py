"""What the frontend passes on to models, and what it answers where a model does not."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from frontends import Frontend, Model, exchange, running_frontend
from servers import wait_until

MAX_BODY_BYTES = 4 << 20
PICTURE = b"a picture"
LARGE = b"\xff" * (1 << 20)
LIMITS = ("--max-body-bytes", str(MAX_BODY_BYTES), "--body-timeout-seconds", "1", "--timeout-seconds", "1")


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    found = Model()
    async with TestServer(found.app) as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frontend]:
    with running_frontend(tmp_path_factory.mktemp("frontend"), {}, *LIMITS) as found:
        yield found


@pytest.fixture
def frontend(running: Frontend, model: Model) -> Frontend:
    """The one frontend, before this test's model."""
    running.write({"cats": model.url, "none": f"http://127.0.0.1:{closed_port()}"})
    return running


@pytest.fixture
async def client(frontend: Frontend) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=frontend.url, timeout=30) as found:
        yield found


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def said(answer: httpx.Response, status: int) -> str:
    """Return the words of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert ("retry-after" in answer.headers) == (status in (502, 503, 504))
    return answer.json()["error"]


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
    assert "POST is" in said(answer, 405)
    assert answer.headers["allow"] == "POST"


async def test_a_model_that_is_down_is_said_to_be_with_when_to_come_back(client: httpx.AsyncClient) -> None:
    assert "model 'none' does not answer" in said(await client.post("/model/none/predict", content=LARGE), 503)
    assert "model 'none' does not answer" in said(await client.get("/model/none"), 503)


@pytest.mark.parametrize("body", [PICTURE, LARGE], ids=["held", "flowing"])
async def test_a_model_that_comes_a_moment_later_gets_the_request(
    frontend: Frontend, client: httpx.AsyncClient, model: Model, body: bytes
) -> None:
    port = closed_port()
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


@pytest.mark.parametrize("body", [PICTURE, LARGE], ids=["held", "flowing"])
async def test_when_the_client_leaves_the_model_is_let_go(client: httpx.AsyncClient, model: Model, body: bytes) -> None:
    left = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        await request.read()
        try:
            await asyncio.sleep(60)
        finally:
            if request.transport is None or request.transport.is_closing():
                left.set()
        return web.Response()

    model.answer = wait
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/model/cats/predict", content=body, timeout=0.3)

    async def closed() -> None:
        while model.asked[0].transport is not None and not model.asked[0].transport.is_closing():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(closed(), 10)


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


@pytest.mark.parametrize("arrived", [1, 100_000], ids=["held", "flowing"])
async def test_a_body_that_does_not_arrive_in_time_is_refused(frontend: Frontend, model: Model, arrived: int) -> None:
    answer = await exchange(frontend.port, head("Content-Length: 200000"), b"x" * arrived)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body did not arrive within 1 seconds" in answer
    assert len(model.asked) == (arrived > 1)  # who sends byte by byte keeps no model waiting


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a"])
async def test_a_head_that_does_not_arrive_ends_the_connection(frontend: Frontend, begun: bytes) -> None:
    assert await asyncio.wait_for(exchange(frontend.port, begun), 20) == b""


async def test_a_model_that_refuses_before_the_end_of_a_body_is_heard(frontend: Frontend, model: Model) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": "enough"}, status=413)

    model.answer = refuse
    answer = await exchange(frontend.port, head("Content-Length: 2000000"), b"x" * 1_000_000)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'{"error": "enough"}' in answer


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
