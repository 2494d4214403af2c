"""Models that are swapped and unloaded with requests in flight: each is answered by the revision it began with."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from bundles import write_colour_bundle
from doors import DOORS, MODEL, Call, assert_refused, assert_unharmed, top_labels
from gated import QUEUE_SIZE, Gated, ask, eventually, gated
from pictures import BLUE, GREEN, RED
from test_bad_bundles import flip, rewrite

from model_server.bundle import read_bundle
from model_server.errors import LoadFailed


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Gated]:
    """A server of a bundle that may be changed, its engine behind a gate that is shut."""
    async with gated(write_colour_bundle(tmp_path / "colours")) as parts:
        yield parts


@pytest.fixture
async def client(served: Gated) -> AsyncIterator[httpx.AsyncClient]:
    async with served.client() as client:
        yield client


def revise(bundle: Path) -> str:
    """Give the bundle another revision, and return the version that it is."""
    rewrite(bundle, lambda manifest: manifest.update(made_by=manifest["made_by"] + " again"))
    return read_bundle(bundle).version


def version_of(answer: httpx.Response) -> str:
    """Return the version that an answer says it came from, whichever door it is of."""
    document = answer.json()
    return document.get("model_version") or document["revision"]


async def hold(served: Gated, client: httpx.AsyncClient, door: str) -> "asyncio.Task[httpx.Response]":
    """Send a request that the engine holds."""
    asked = ask(client, DOORS[door](RED))
    await eventually(lambda: served.engine.entered == 1)
    return asked


@pytest.mark.parametrize("door", DOORS)
async def test_a_swap_leaves_old_requests_to_the_old_and_gives_new_ones_to_the_new(
    served: Gated, client: httpx.AsyncClient, door: str
) -> None:
    old_engine, old = served.engine, read_bundle(served.bundle).version
    held = await hold(served, client, door)
    new = revise(served.bundle)
    loading = asyncio.create_task(served.repository.load(MODEL))
    await eventually(lambda: served.repository.find(MODEL).signature.version == new)
    answer = await DOORS[door](GREEN).send_async(client)
    assert (top_labels(answer), version_of(answer)) == (["green"], new)
    assert not held.done()
    assert not loading.done()
    old_engine.gate.set()
    answer = await held
    assert (top_labels(answer), version_of(answer)) == (["red"], old)
    assert (await loading).signature.version == new
    assert len(served.engines) == 2
    await assert_unharmed(client)


@pytest.mark.parametrize("door", DOORS)
async def test_an_unload_answers_who_has_the_model_and_refuses_who_comes(
    served: Gated, client: httpx.AsyncClient, door: str
) -> None:
    held = await hold(served, client, door)
    waiting = [ask(client, DOORS[door](BLUE)) for _ in range(QUEUE_SIZE - 1)]
    await eventually(lambda: served.waiting_rows() == QUEUE_SIZE - 1)
    unloading = asyncio.create_task(served.repository.unload(MODEL))
    await eventually(lambda: not served.repository.vision_models())
    assert [state.state for state in served.repository.index()] == ["UNLOADING"]
    assert_refused(await DOORS[door](GREEN).send_async(client), 404, f"'{MODEL}' is not served", "no model is loaded")
    assert (await client.get("/v2/health/ready")).json() == {"ready": True}
    assert not unloading.done()
    served.engine.gate.set()
    assert [top_labels(answer) for answer in await asyncio.gather(held, *waiting)] == [
        ["red"],
        *[["blue"]] * (QUEUE_SIZE - 1),
    ]
    await unloading
    assert [(state.state, state.reason) for state in served.repository.index()] == [("UNAVAILABLE", "unloaded")]
    await served.repository.load(MODEL)
    await assert_unharmed(client)


@contextlib.asynccontextmanager
async def half_sent(url: str, call: Call) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Send a request but for its last byte."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(call.to_bytes()[:-1])
        await writer.drain()
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize("door", DOORS)
async def test_who_is_still_sending_has_the_model_already(served: Gated, door: str) -> None:
    served.engine.gate.set()
    call = DOORS[door](BLUE)
    model = served.repository.find(MODEL)
    async with served.listening() as url, half_sent(url, call) as (reader, writer):
        await eventually(lambda: model.borrowers == 1)
        unloading = asyncio.create_task(served.repository.unload(MODEL))
        await eventually(lambda: not served.repository.vision_models())
        writer.write(call.to_bytes()[-1:])
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        await unloading
        assert model.borrowers == 0


async def test_who_leaves_has_the_model_no_more(served: Gated) -> None:
    async with served.listening() as url:
        async with half_sent(url, DOORS["v2-json"](BLUE)):
            await eventually(lambda: served.repository.find(MODEL).borrowers == 1)
            unloading = asyncio.create_task(served.repository.unload(MODEL))
            await eventually(lambda: not served.repository.vision_models())
            assert not unloading.done()
        await unloading


async def test_row_33_a_failed_reload_disturbs_nobody(served: Gated, client: httpx.AsyncClient) -> None:
    held = await hold(served, client, "raw")
    old = served.repository.find(MODEL)
    revise(served.bundle)
    flip("model.bin")(served.bundle)
    with pytest.raises(LoadFailed, match=r"model\.bin: its sha256 is .*goes on being served"):
        await served.repository.load(MODEL)
    (state,) = served.repository.index()
    assert (state.version, state.state) == (old.signature.version, "READY")
    assert "model.bin: its sha256" in state.reason
    assert served.repository.find_ready(MODEL) is old
    served.engine.gate.set()
    assert top_labels(await held) == ["red"]
    flip("model.bin")(served.bundle)
    assert (await served.repository.load(MODEL)) is not old
    assert served.repository.index()[0].reason == ""
    await assert_unharmed(client)


async def test_an_engine_that_fails_on_its_first_image_is_closed_and_not_served(
    served: Gated, client: httpx.AsyncClient
) -> None:
    served.builds_fail = True
    old = served.repository.find(MODEL)
    revise(served.bundle)
    with pytest.raises(LoadFailed, match="the engine is on fire"):
        await served.repository.load(MODEL)
    with pytest.raises(RuntimeError, match="after shutdown"):
        await served.batcher.warm_up(np.zeros(1))
    assert served.repository.find_ready(MODEL) is old


async def test_loads_that_wait_for_their_turn_are_one(served: Gated, client: httpx.AsyncClient) -> None:
    held = await hold(served, client, "raw")
    revise(served.bundle)
    first = asyncio.create_task(served.repository.load(MODEL))
    await eventually(lambda: len(served.engines) == 2)
    last = revise(served.bundle)
    others = [asyncio.create_task(served.repository.load(MODEL)) for _ in range(100)]
    await asyncio.sleep(0)
    served.engines[0].gate.set()
    assert top_labels(await held) == ["red"]
    assert (await first).signature.version != last
    models = await asyncio.gather(*others)
    assert [model.signature.version for model in models] == [last] * 100
    assert len(served.engines) == 3
    await assert_unharmed(client)


async def test_a_load_whose_caller_leaves_is_completed(served: Gated, client: httpx.AsyncClient) -> None:
    held = await hold(served, client, "raw")
    new = revise(served.bundle)
    loading = asyncio.create_task(served.repository.load(MODEL))
    await eventually(lambda: served.repository.find(MODEL).signature.version == new)
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    old = served.engines[0]
    old.gate.set()
    assert top_labels(await held) == ["red"]
    assert (await served.repository.load(MODEL)).signature.version == new
    assert len(served.engines) == 2
