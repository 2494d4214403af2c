"""A model that is loading, a server that has stopped accepting, and SIGTERM with work queued: rows 13 and 29."""

import signal
import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from bundles import COLOURS
from doors import (
    ANSWER_SECONDS,
    DOORS,
    MODEL,
    Call,
    ask_multipart,
    ask_raw,
    ask_v2_json,
    assert_refused,
    assert_unharmed,
    good_call,
    top_labels,
    unharmed,
)
from gated import Gated
from gated_process import QUEUED, slow_server
from pictures import BLUE, NOT_AN_IMAGE, PICTURES, RED
from servers import wait_until
from wire import wire


@pytest.fixture
async def loading(colour_bundle: Path) -> AsyncIterator[Gated]:
    """A server whose model has not begun to load."""
    with ThreadPoolExecutor(1) as pool:
        yield Gated(colour_bundle, pool)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("image", [RED, NOT_AN_IMAGE], ids=["image", "no-image"])
async def test_row_13_a_model_that_is_loading(loading: Gated, door: str, image: bytes) -> None:
    async with loading.client() as client:
        refused = await DOORS[door](image).send_async(client)
        assert_refused(refused, 503, f"model '{MODEL}' is loading", "again in a moment")
        await loading.repository.load_registered()
        await assert_unharmed(client)


@pytest.mark.parametrize("path", ["/v2/health/ready", f"/v2/models/{MODEL}/ready", f"/v1/models/{MODEL}"])
async def test_row_13_readiness_of_a_model_that_is_loading(loading: Gated, path: str) -> None:
    async with loading.client() as client:
        assert_refused(await client.get(path), 503, f"model '{MODEL}' is loading")
        await loading.repository.load_registered()
        assert (await client.get(path)).json()["ready"] is True
        await assert_unharmed(client)


async def test_row_13_what_needs_no_engine_is_there_while_the_model_loads(loading: Gated) -> None:
    async with loading.client() as client:
        assert (await client.get("/v2/health/live")).json() == {"live": True}
        assert (await client.get(f"/model/{MODEL}")).json()["ready"] is False
        assert (await client.get("/v2/models")).json() == {"models": [MODEL]}
        assert (await client.get(f"/v2/models/{MODEL}")).status_code == 200
        assert_refused(await client.post("/v2/models/other/infer"), 404, "model 'other'")
        await loading.repository.load_registered()
        assert (await client.get(f"/model/{MODEL}")).json()["ready"] is True


@pytest.mark.parametrize("door", DOORS)
async def test_row_13_a_server_that_has_stopped_accepting(loading: Gated, door: str) -> None:
    await loading.repository.load_registered()
    loading.phase.draining = True
    async with loading.listening() as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await DOORS[door](BLUE).send_async(client)
        assert top_labels(answer) == ["blue"]
        assert answer.headers["connection"] == "close"
        loading.phase.stopped = True
        refused = await DOORS[door](BLUE).send_async(client)
        assert_refused(refused, 503, "stopping and accepts nothing more", "to another")
        assert refused.headers["connection"] == "close"


def test_row_13_a_server_whose_model_takes_its_time(colour_bundle: Path, gate: Path) -> None:
    gate.touch()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        slow_server(colour_bundle, gate, "--http-port", str(port), wait_for="()") as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=ANSWER_SECONDS, trust_env=False) as client,
    ):
        wait_until(lambda: is_live(client))
        for _ in range(3):
            assert_refused(client.get("/v2/health/ready"), 503, f"model '{MODEL}' is loading")
            for ask in DOORS.values():
                assert_refused(ask(RED).send(client), 503, f"model '{MODEL}' is loading")
        assert "Address" not in server.log.read_text()
        gate.unlink()
        wait_until(lambda: client.get("/v2/health/ready").status_code == 200)
        with unharmed(client):
            assert server.process.poll() is None


def is_live(client: httpx.Client) -> bool:
    try:
        return client.get("/v2/health/live").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(QUEUED) as pool:
        yield pool


def ask_apart(url: str, call: Call) -> httpx.Response:
    """Ask on a connection of its own."""
    with httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False) as client:
        return call.send(client)


def fill(url: str, gate: Path, crowd: ThreadPoolExecutor) -> list[tuple[str, "Future[httpx.Response]"]]:
    """Fill the queue, through every door."""
    labels = [list(COLOURS)[number % len(COLOURS)] for number in range(QUEUED)]
    doors = [list(DOORS.values())[number % len(DOORS)] for number in range(QUEUED)]
    asked = [
        (label, crowd.submit(ask_apart, url, ask(PICTURES[label]))) for label, ask in zip(labels, doors, strict=True)
    ]
    wait_until(gate.with_name("waiting").exists)  # from here on a whole queue's worth does not fit
    too_many = ask_multipart(*[RED] * QUEUED)
    wait_until(lambda: f"{QUEUED} of {QUEUED} places" in ask_apart(url, too_many).text)
    return asked


def assert_answered(asked: list[tuple[str, "Future[httpx.Response]"]]) -> None:
    for label, answer in asked:
        assert top_labels(answer.result(ANSWER_SECONDS)) == [label]


def test_row_29_sigterm_while_it_still_serves(colour_bundle: Path, gate: Path, crowd: ThreadPoolExecutor) -> None:
    with slow_server(colour_bundle, gate, "--drain-delay-seconds", "2") as server:
        gate.touch()
        asked = fill(server.url, gate, crowd)
        with wire(server.url) as line:
            request = ask_v2_json(BLUE).to_bytes()
            line.send(request[:-10])
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: httpx.get(f"{server.url}/v2/health/ready", trust_env=False).status_code == 503)
            assert_refused(httpx.get(f"{server.url}/v2/health/ready", trust_env=False), 503, "stopping")
            assert_refused(httpx.get(f"{server.url}/v2/models/{MODEL}/ready", trust_env=False), 503, "stopping")
            assert httpx.get(f"{server.url}/v2/health/live", trust_env=False).status_code == 200
            assert not any(answer.done() for _, answer in asked)
            gate.unlink()
            assert_answered(asked)
            late = ask_apart(server.url, good_call())
            assert top_labels(late) == list(COLOURS)
            assert late.headers["connection"] == "close"
            line.send(request[-10:])
            assert top_labels(line.read()) == ["blue"]
            assert line.is_at_end()
        assert "stopping" not in server.log.read_text(), "it was slower than its drain delay: nothing was shown"
        assert server.process.wait(ANSWER_SECONDS) == 0
        assert "Traceback" not in server.log.read_text()


def test_row_29_sigterm_with_more_to_do_than_the_delay_lasts(
    colour_bundle: Path, gate: Path, crowd: ThreadPoolExecutor
) -> None:
    """Row 13 too: what comes on a connection that was open before is told to go elsewhere."""
    with slow_server(colour_bundle, gate, "--drain-delay-seconds", "0.1") as server:
        gate.touch()
        asked = fill(server.url, gate, crowd)
        with wire(server.url) as idle, wire(server.url) as sending:
            idle.send(Call("/v2/health/live", b"", {}, "GET").to_bytes())
            assert idle.read().status_code == 200
            request = ask_v2_json(BLUE).to_bytes()
            sending.send(request[:-10])
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "stopping: no new connections" in server.log.read_text())
            idle.send(ask_raw(RED).to_bytes())
            refused = idle.read()
            assert_refused(refused, 503, "accepts nothing more", "to another")
            assert refused.headers["connection"] == "close"
            assert idle.is_at_end()
            assert "requests that are answered first: " in server.log.read_text()
            url = httpx.URL(server.url)
            with pytest.raises(ConnectionRefusedError):  # at once, rather than when the last has its answer
                socket.create_connection((url.host, url.port or 0), ANSWER_SECONDS)
            assert server.process.poll() is None
            assert not any(answer.done() for _, answer in asked)
            gate.unlink()
            assert_answered(asked)
            sending.send(request[-10:])
            assert top_labels(sending.read()) == ["blue"]
        assert server.process.wait(ANSWER_SECONDS) == 0
        assert "Traceback" not in server.log.read_text()
