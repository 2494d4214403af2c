"""Too much to do, one rotten image among many, clients that leave: rows 26, 27 and 28."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from bundles import COLOURS
from doors import (
    DOORS,
    MANY,
    MODEL,
    SMALL,
    Call,
    ask_multipart,
    ask_raw,
    ask_v1,
    ask_v2_binary,
    ask_v2_json,
    assert_refused,
    assert_unharmed,
    brief,
    top_labels,
    v1,
    v2,
)
from gated import BATCH_SECONDS, MAX_BATCH, QUEUE_SIZE, Gated, ask, eventually, gated
from pictures import BLUE, GREEN, NOT_AN_IMAGE, PICTURES, RED


@pytest.fixture
async def slow(colour_bundle: Path) -> AsyncIterator[Gated]:
    """A server whose engine stands behind a gate that is shut; unharmed once it is open again."""
    async with gated(colour_bundle) as parts:
        yield parts
        parts.engine.gate.set()
        async with parts.client() as client:
            await eventually(lambda: parts.free_places() == QUEUE_SIZE)
            await assert_unharmed(client)


@pytest.fixture
async def client(slow: Gated) -> AsyncIterator[httpx.AsyncClient]:
    async with slow.client() as client:
        yield client


Asked = asyncio.Task[httpx.Response]


async def fill(slow: Gated, client: httpx.AsyncClient, images: int = QUEUE_SIZE) -> list[Asked]:
    return await slow.fill(lambda image: ask(client, ask_raw(image)), images)


async def assert_answered(slow: Gated, asked: list[Asked]) -> None:
    labels = [top_labels(answer) for answer in await slow.finish(asked)]
    assert labels == [["red"], *[["green"]] * (len(asked) - 1)]


@pytest.mark.parametrize("door", DOORS)
async def test_row_26_the_queue_is_full(slow: Gated, client: httpx.AsyncClient, door: str) -> None:
    asked = await fill(slow, client)
    refused = await DOORS[door](BLUE).send_async(client)
    assert_refused(refused, 429, "queue is full", f"{QUEUE_SIZE} of {QUEUE_SIZE} places", "1 more", "again later")
    await assert_answered(slow, asked)


@pytest.mark.parametrize("door", MANY)
async def test_row_26_there_is_room_but_not_for_so_many(slow: Gated, client: httpx.AsyncClient, door: str) -> None:
    asked = await fill(slow, client, 2)
    refused = await MANY[door](BLUE, BLUE, BLUE).send_async(client)
    assert_refused(refused, 429, f"2 of {QUEUE_SIZE} places", "3 more images")
    fits = ask(client, MANY[door](BLUE, RED))
    await eventually(lambda: slow.waiting_rows() == 3)
    await assert_answered(slow, asked)
    assert top_labels(await fits) == ["blue", "red"]


@pytest.mark.parametrize("door", DOORS)
async def test_row_26_a_deadline_before_the_engine_could_answer(
    slow: Gated, client: httpx.AsyncClient, door: str
) -> None:
    refused = await DOORS[door](BLUE, timeout_seconds=BATCH_SECONDS / 2).send_async(client)
    assert_refused(refused, 503, "deadline can't be met", "0.500 seconds late", "longer timeout")
    assert slow.free_places() == QUEUE_SIZE
    answered = ask(client, DOORS[door](BLUE, timeout_seconds=BATCH_SECONDS * 2))
    await eventually(lambda: slow.engine.entered == 1)
    slow.engine.gate.set()
    assert top_labels(await answered) == ["blue"]


@pytest.mark.parametrize("door", DOORS)
async def test_row_26_a_deadline_before_the_queue_is_done(slow: Gated, client: httpx.AsyncClient, door: str) -> None:
    asked = await fill(slow, client, 3)
    refused = await DOORS[door](BLUE, timeout_seconds=BATCH_SECONDS / 2).send_async(client)
    assert_refused(refused, 503, "deadline can't be met", "2 images wait")
    await assert_answered(slow, asked)


async def test_row_26_both_at_once(slow: Gated, client: httpx.AsyncClient) -> None:
    asked = await fill(slow, client, 3)
    late = ask(client, ask_raw(BLUE, timeout_seconds=BATCH_SECONDS / 2))
    too_many = ask(client, ask_v1(BLUE, BLUE))
    assert_refused(await late, 503, "deadline")
    assert_refused(await too_many, 429, "queue is full")
    await assert_answered(slow, asked)


async def test_row_26_nobody_is_let_in_at_the_cost_of_those_who_are(slow: Gated, client: httpx.AsyncClient) -> None:
    """Who has less time goes first, unless that makes somebody late who was promised an answer."""
    asked = await fill(slow, client, 1)
    promised = ask(client, ask_v2_json(BLUE, timeout_seconds=BATCH_SECONDS * 2.2))
    await eventually(lambda: slow.waiting_rows() == 1)
    urgent = await ask_v2_json(RED, GREEN, timeout_seconds=BATCH_SECONDS * 2.1).send_async(client)
    assert_refused(urgent, 503, "deadline can't be met", "late")
    await assert_answered(slow, asked)
    assert top_labels(await promised) == ["blue"]


@pytest.mark.parametrize("value", [0, -1, 1.5, "1", True, [], 3_600_000_001, 10**30], ids=brief)
def test_row_26_a_timeout_that_is_none(colours: httpx.Client, value: object) -> None:
    for call, write in ((ask_v2_json(RED), v2), (ask_v1(RED), v1)):
        document = {**json.loads(call.body), "parameters": {"timeout": value}}
        assert_refused(write(document).send(colours), 400, "timeout = ", "microseconds", "3600000000")


@pytest.mark.parametrize("value", ["0", "-1", "soon", "", "nan", "inf", "-inf", "1e9", "3601", "1,5"])
def test_row_26_a_timeout_in_the_url_that_is_none(colours: httpx.Client, value: str) -> None:
    for call in (ask_raw(RED), ask_multipart(RED)):
        answer = Call(f"/model/{MODEL}/predict?timeout_seconds={value}", call.body, call.headers).send(colours)
        assert_refused(answer, 400, f"timeout_seconds = '{value}'", "above 0, at most 3600")


@pytest.mark.parametrize("door", DOORS)
def test_row_26_a_microsecond_is_not_enough_for_the_real_engine(colours: httpx.Client, door: str) -> None:
    assert_refused(DOORS[door](RED, timeout_seconds=1e-6).send(colours), 503, "deadline can't be met")


def test_row_26_a_crowd_before_a_small_queue(small: httpx.Client) -> None:
    """Whoever is let in is answered rightly, and the others are told to come again."""

    def call(number: int) -> tuple[str, httpx.Response]:
        label = list(COLOURS)[number % 3]
        send = list(DOORS.values())[number % len(DOORS)](PICTURES[label])
        return label, send.send(small)

    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(call, range(150)))
    for label, answer in answers:
        if answer.status_code == 200:
            assert top_labels(answer) == [label]
        else:
            assert_refused(answer, 429, "queue is full", f"of {SMALL['queue_size']} places")
    assert any(answer.status_code == 200 for _, answer in answers)


@pytest.mark.parametrize("door", DOORS)
async def test_row_27_one_bad_image_among_many_callers(colour_bundle: Path, door: str) -> None:
    async with gated(colour_bundle, max_batch=8, queue_size=16) as slow, slow.client() as client:
        first = ask(client, ask_raw(RED))
        await eventually(lambda: slow.engine.entered == 1)
        labels = [label for _ in range(2) for label in COLOURS]
        good = [ask(client, DOORS[door](PICTURES[label])) for label in labels[:3]]
        bad = ask(client, DOORS[door](NOT_AN_IMAGE))
        good += [ask(client, DOORS[door](PICTURES[label])) for label in labels[3:]]
        assert_refused(await bad, 400, "not an image that is read here", "JPEG, PNG or WebP")
        await eventually(lambda: slow.waiting_rows() == len(good))
        slow.engine.gate.set()
        assert top_labels(await first) == ["red"]
        assert [top_labels(answer) for answer in await asyncio.gather(*good)] == [[label] for label in labels]
        assert [sorted(batch) for batch in slow.engine.batches] == [["red"], sorted(labels)]
        await assert_unharmed(client)


@pytest.mark.parametrize("door", MANY)
@pytest.mark.parametrize("bad", [NOT_AN_IMAGE, RED[:-20], b"\xff\xd8\xff\xd9"], ids=["text", "truncated", "header"])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_row_27_one_bad_image_in_a_request_of_many(colours: httpx.Client, door: str, bad: bytes, position: int) -> None:
    files = [RED, GREEN, BLUE]
    files[position] = bad
    assert_refused(MANY[door](*files).send(colours), 400, f"image {position + 1} of 3: ")


@pytest.mark.parametrize("door", DOORS)
async def test_row_27_an_engine_that_fails(slow: Gated, client: httpx.AsyncClient, door: str) -> None:
    slow.engine.fails = True
    slow.engine.gate.set()
    assert_refused(await DOORS[door](RED).send_async(client), 500, "inference failed", "RuntimeError")
    slow.engine.fails = False
    assert slow.free_places() == QUEUE_SIZE


Leave = Callable[[asyncio.StreamWriter], None]
LEAVES: dict[str, Leave] = {"closes": lambda line: line.close(), "resets": lambda line: line.transport.abort()}


async def connect(url: str, data: bytes) -> asyncio.StreamWriter:
    parts = urlsplit(url)
    _, line = await asyncio.open_connection(parts.hostname, parts.port)
    line.write(data)
    await line.drain()
    return line


@pytest.mark.parametrize("leave", LEAVES)
@pytest.mark.parametrize("door", DOORS)
async def test_row_28_a_client_leaves_the_queue(slow: Gated, door: str, leave: str) -> None:
    async with slow.listening() as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        asked = await fill(slow, client, QUEUE_SIZE - 1)
        line = await connect(url, DOORS[door](BLUE).to_bytes())
        await eventually(lambda: slow.waiting_rows() == QUEUE_SIZE - 1)
        assert_refused(await ask_raw(GREEN).send_async(client), 429, "queue is full")
        LEAVES[leave](line)
        await eventually(lambda: slow.free_places() == 1)
        asked.append(ask(client, ask_raw(GREEN)))
        await eventually(lambda: slow.waiting_rows() == QUEUE_SIZE - 1)
        await assert_answered(slow, asked)
        assert slow.engine.batches == [["red"], ["green"] * MAX_BATCH, ["green"]]


async def test_row_28_a_client_leaves_the_engine(slow: Gated) -> None:
    async with slow.listening() as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        line = await connect(url, ask_v2_binary(BLUE).to_bytes())
        await eventually(lambda: slow.engine.entered == 1)
        waits = ask(client, ask_raw(RED))
        await eventually(lambda: slow.waiting_rows() == 1)
        line.transport.abort()
        await eventually(lambda: slow.free_places() == QUEUE_SIZE - 1)
        slow.engine.gate.set()
        assert top_labels(await waits) == ["red"]
        assert slow.engine.batches == [["blue"], ["red"]]


@pytest.mark.parametrize("leave", LEAVES)
async def test_row_28_a_client_leaves_while_it_sends(slow: Gated, leave: str) -> None:
    async with slow.listening() as url:
        call = ask_v2_json(BLUE)
        line = await connect(url, call.to_bytes(length=len(call.body) + 1))
        LEAVES[leave](line)
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            slow.engine.gate.set()
            await assert_unharmed(client)
        assert slow.engine.batches == [["red", "green"], ["blue"]]


async def test_row_28_a_crowd_leaves(slow: Gated) -> None:
    async with slow.listening() as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        asked = await fill(slow, client, 1)
        for _ in range(10):
            lines = [await connect(url, ask_raw(BLUE).to_bytes()) for _ in range(QUEUE_SIZE - 1)]
            await eventually(lambda: slow.free_places() == 0)
            for line in lines:
                line.transport.abort()
            await eventually(lambda: slow.free_places() == QUEUE_SIZE - 1)
        await assert_answered(slow, asked)
        await assert_unharmed(client)
        assert slow.engine.batches == [["red"], ["red", "green"], ["blue"]]
