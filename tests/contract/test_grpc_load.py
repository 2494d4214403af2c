"""Too much, too early, too late, and clients that leave, over gRPC: rows 13, 14, 26, 27 and 28."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from bundles import COLOURS
from doors import MODEL, SMALL, peak_memory_bytes
from gated import BATCH_SECONDS, MAX_BATCH, QUEUE_SIZE, TIMEOUT_SECONDS, Gated, eventually, gated
from grpc_doors import (
    GRPC_DOORS,
    AsyncClient,
    Client,
    Reply,
    ask_raw_contents,
    assert_refused,
    assert_unharmed,
    infer,
    message,
)
from pictures import BLUE, GREEN, NOT_AN_IMAGE, PICTURES, RED
from servers import Server

EXHAUSTED, UNAVAILABLE = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE
MAX_BYTES, MAX_IMAGES = SMALL["max_body_bytes"], SMALL["max_images"]
BOMB_BYTES = 64 << 20
GROWTH_BYTES = 16 << 20
"""More than a refusal may cost, less than what is refused would."""
Asked = asyncio.Task[Reply]


@pytest.fixture
async def slow(colour_bundle: Path) -> AsyncIterator[Gated]:
    """A server whose engine stands behind a gate that is shut."""
    async with gated(colour_bundle) as parts:
        yield parts


@pytest.fixture
async def client(slow: Gated) -> AsyncIterator[AsyncClient]:
    """A client of it; the server is unharmed once the gate is open again."""
    async with slow.calling() as (_, address), grpc.aio.insecure_channel(address) as channel:
        client = AsyncClient(channel)
        yield client
        slow.engine.gate.set()
        await eventually(lambda: slow.free_places() == QUEUE_SIZE)
        await assert_unharmed(client)


def ask(client: AsyncClient, request: object) -> Asked:
    """Call and do not wait for the answer."""
    return asyncio.create_task(client.infer(request))


async def fill(slow: Gated, client: AsyncClient, images: int = QUEUE_SIZE) -> list[Asked]:
    return await slow.fill(lambda image: ask(client, ask_raw_contents(image)), images)


async def assert_answered(slow: Gated, asked: list[Asked]) -> None:
    labels = [reply.labels() for reply in await slow.finish(asked)]
    assert labels == [["red"], *[["green"]] * (len(asked) - 1)]


@pytest.mark.parametrize("door", GRPC_DOORS)
async def test_row_13_a_model_that_is_loading(colour_bundle: Path, door: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        parts = Gated(colour_bundle, pool)
        async with parts.calling() as (_, address), grpc.aio.insecure_channel(address) as channel:
            client = AsyncClient(channel)
            for image in (RED, NOT_AN_IMAGE):
                refused = await client.infer(GRPC_DOORS[door](image))
                assert_refused(refused, UNAVAILABLE, f"model '{MODEL}' is loading", "again in a moment")
            assert not (await client.call("ServerReady")).read("ServerReadyResponse").ready
            named = message("ModelReadyRequest", name=MODEL)
            assert not (await client.call("ModelReady", named)).read("ModelReadyResponse").ready
            assert (await client.call("ServerLive")).read("ServerLiveResponse").live
            await parts.repository.load_registered()
            await assert_unharmed(client)
            assert (await client.call("ModelReady", named)).read("ModelReadyResponse").ready
        await asyncio.to_thread(parts.batcher.close)


async def test_row_13_a_server_that_has_stopped_accepting(slow: Gated) -> None:
    async with slow.calling() as (port, address), grpc.aio.insecure_channel(address) as channel:
        client = AsyncClient(channel)
        slow.phase.draining = True
        asked = await fill(slow, client, 2)
        slow.phase.stopped = True
        late = [ask(client, request(BLUE)) for request in GRPC_DOORS.values()]
        await port.refuse_calls()
        for refused in await asyncio.gather(*late):
            assert_refused(refused, UNAVAILABLE, "stopping and accepts nothing more", "to another")
        assert port.calls() == 2
        await assert_answered(slow, asked)
        await eventually(lambda: not port.calls())


def test_row_14_a_message_over_the_limit(small_calls: Client) -> None:
    request = ask_raw_contents(RED).SerializeToString()
    padded = ask_raw_contents(RED, id="x" * (MAX_BYTES - len(request) - 4))
    assert padded.ByteSize() == MAX_BYTES
    assert small_calls.infer(padded).labels() == ["red"]
    for more in (1, 1000, 10 * MAX_BYTES):
        reply = small_calls.infer(padded.SerializeToString() + bytes(more))
        assert_refused(reply, EXHAUSTED, f"{MAX_BYTES + more} vs. {MAX_BYTES}")


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
@pytest.mark.parametrize("size", [MAX_BYTES + 1, BOMB_BYTES])
def test_row_14_a_message_that_grows_over_the_limit(
    small_calls: Client, small_server: Server, size: int, compression: grpc.Compression
) -> None:
    before = peak_memory_bytes(small_server.process.pid)
    reply = small_calls.infer(bytes(size), compression=compression)
    assert_refused(reply, EXHAUSTED, "larger than max")
    assert peak_memory_bytes(small_server.process.pid) - before < GROWTH_BYTES


@pytest.mark.parametrize("door", GRPC_DOORS)
@pytest.mark.parametrize("more", [1, 100])
def test_row_14_too_many_images(small_calls: Client, door: str, more: int) -> None:
    reply = small_calls.infer(GRPC_DOORS[door](*[RED] * (MAX_IMAGES + more)))
    assert_refused(reply, EXHAUSTED, f"{MAX_IMAGES + more} images", f"at most {MAX_IMAGES}", "send several requests")
    assert small_calls.infer(GRPC_DOORS[door](BLUE, RED, BLUE)).labels() == ["blue", "red", "blue"]


def test_row_14_too_many_pixels_tensors(small_calls: Client) -> None:
    entry = {"name": "pixels", "datatype": "UINT8", "shape": [MAX_IMAGES + 1, 1, 1, 3]}
    words = ("'pixels'", f"{MAX_IMAGES + 1} images", f"at most {MAX_IMAGES}")
    assert_refused(small_calls.infer(infer(entry, raw=(bytes(3 * MAX_IMAGES + 3),))), EXHAUSTED, *words)


@pytest.mark.parametrize("door", GRPC_DOORS)
async def test_row_26_the_queue_is_full(slow: Gated, client: AsyncClient, door: str) -> None:
    asked = await fill(slow, client)
    refused = await client.infer(GRPC_DOORS[door](BLUE))
    assert_refused(refused, EXHAUSTED, "queue is full", f"{QUEUE_SIZE} of {QUEUE_SIZE} places", retry=True)
    await assert_answered(slow, asked)


@pytest.mark.parametrize("door", GRPC_DOORS)
async def test_row_26_a_deadline_that_cannot_be_met(slow: Gated, client: AsyncClient, door: str) -> None:
    asked = await fill(slow, client, 3)
    refused = await client.infer(GRPC_DOORS[door](BLUE, timeout_seconds=BATCH_SECONDS / 2))
    assert_refused(refused, UNAVAILABLE, "deadline can't be met", "2 images wait", "longer timeout")
    await assert_answered(slow, asked)


async def test_row_26_the_calls_own_deadline(slow: Gated, client: AsyncClient) -> None:
    """Whichever is sooner counts: the call's, the parameter, or where there is neither the server's."""
    soon = BATCH_SECONDS / 2
    asked = await fill(slow, client, 1)
    for parameter in (None, 30.0):
        refused = await client.infer(ask_raw_contents(BLUE, timeout_seconds=parameter), timeout=soon)
        assert_refused(refused, UNAVAILABLE, "deadline can't be met")
    refused = await client.infer(ask_raw_contents(BLUE, timeout_seconds=soon), timeout=50)
    assert_refused(refused, UNAVAILABLE, "deadline can't be met")
    await assert_answered(slow, asked)


async def test_row_26_a_call_may_wait_longer_than_the_servers_own_deadline(slow: Gated, client: AsyncClient) -> None:
    slow.batcher.times.expect([0.0] + [2 * TIMEOUT_SECONDS] * MAX_BATCH)
    refused = await client.infer(ask_raw_contents(RED), timeout=None)
    assert_refused(refused, UNAVAILABLE, "deadline can't be met", f"{TIMEOUT_SECONDS:.3f} seconds late")
    asked = asyncio.create_task(client.infer(ask_raw_contents(RED), timeout=3 * TIMEOUT_SECONDS))
    await eventually(lambda: slow.engine.entered == 1)
    await assert_answered(slow, [asked])


async def test_row_27_one_bad_image_among_many_callers(colour_bundle: Path) -> None:
    async with (
        gated(colour_bundle, max_batch=8, queue_size=16) as slow,
        slow.calling() as (_, address),
        grpc.aio.insecure_channel(address) as channel,
    ):
        client = AsyncClient(channel)
        first = ask(client, ask_raw_contents(RED))
        await eventually(lambda: slow.engine.entered == 1)
        good = [ask(client, ask_raw_contents(PICTURES[label])) for label in COLOURS]
        bad = ask(client, ask_raw_contents(NOT_AN_IMAGE))
        good += [ask(client, ask_raw_contents(PICTURES[label])) for label in COLOURS]
        assert_refused(await bad, grpc.StatusCode.INVALID_ARGUMENT, "not an image that is read here")
        await eventually(lambda: slow.waiting_rows() == len(good))
        slow.engine.gate.set()
        assert (await first).labels() == ["red"]
        assert [reply.labels() for reply in await asyncio.gather(*good)] == [[label] for label in COLOURS] * 2
        assert [sorted(batch) for batch in slow.engine.batches] == [["red"], sorted([*COLOURS] * 2)]
        await assert_unharmed(client)


async def test_row_27_an_engine_that_fails(slow: Gated, client: AsyncClient) -> None:
    slow.engine.fails = True
    slow.engine.gate.set()
    refused = await client.infer(ask_raw_contents(RED))
    assert_refused(refused, grpc.StatusCode.INTERNAL, "inference failed", "RuntimeError")
    slow.engine.fails = False


@pytest.mark.parametrize("leave", ["cancels", "hangs up", "runs out of time"])
async def test_row_28_a_client_leaves_the_queue(slow: Gated, leave: str) -> None:
    async with (
        slow.calling() as (_, address),
        grpc.aio.insecure_channel(address) as channel,
        grpc.aio.insecure_channel(address, options=(("grpc.use_local_subchannel_pool", 1),)) as other,
    ):
        client, leaver = AsyncClient(channel), AsyncClient(other)
        asked = await fill(slow, client, QUEUE_SIZE - 1)
        timeout = 3 * BATCH_SECONDS if leave == "runs out of time" else 60
        left = asyncio.create_task(leaver.infer(ask_raw_contents(BLUE), timeout=timeout))
        await eventually(lambda: slow.waiting_rows() == QUEUE_SIZE - 1)
        assert_refused(await client.infer(ask_raw_contents(GREEN)), EXHAUSTED, "queue is full", retry=True)
        if leave == "cancels":
            left.cancel()
        elif leave == "hangs up":
            await other.close()
        await eventually(lambda: slow.free_places() == 1)
        await asyncio.gather(left, return_exceptions=True)
        asked.append(ask(client, ask_raw_contents(GREEN)))
        await eventually(lambda: slow.waiting_rows() == QUEUE_SIZE - 1)
        await assert_answered(slow, asked)
        assert slow.engine.batches == [["red"], ["green"] * MAX_BATCH, ["green"]]
        await assert_unharmed(client)
