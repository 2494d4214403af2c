"""One wide stream for an image that is alone, narrow ones for many: against engines and a clock moved by hand."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from test_batching import ROW, Clock, GatedEngine, caller, until

from model_server.batching import Batcher
from model_server.errors import DeadlineUnmet, ServingError
from model_server.metrics import Metrics


@pytest.fixture
def wide() -> GatedEngine:
    return GatedEngine()


@pytest.fixture
def narrow() -> list[GatedEngine]:
    return [GatedEngine(), GatedEngine()]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def batcher(wide: GatedEngine, narrow: list[GatedEngine], clock: Clock) -> AsyncIterator[Batcher]:
    batcher = Batcher(
        wide.infer,
        narrow=[engine.infer for engine in narrow],
        max_batch=4,
        queue_size=16,
        metrics=Metrics().of_model("m"),
        clock=clock,
    )
    batcher.times.expect([0.0, 1.0, 1.5, 2.0, 2.5])
    yield batcher
    for engine in (wide, *narrow):
        engine.gate.set()
    batcher.close()


async def test_an_image_that_is_alone_gets_the_wide_stream(batcher: Batcher, wide: GatedEngine) -> None:
    wide.gate.set()
    assert await caller(batcher, 1.0) == [2.0]
    assert await caller(batcher, 2.0) == [4.0]
    assert wide.batches == [[1.0], [2.0]]


async def test_a_request_of_many_images_is_shared_by_the_narrow_streams(
    batcher: Batcher, wide: GatedEngine, narrow: list[GatedEngine]
) -> None:
    for engine in narrow:
        engine.gate.set()
    assert await caller(batcher, 1, 2, 3, 4, 5) == [2, 4, 6, 8, 10]
    assert [engine.batches for engine in (wide, *narrow)] == [[], [[1, 2, 3]], [[4, 5]]]


async def test_nothing_runs_beside_the_wide_stream(
    batcher: Batcher, wide: GatedEngine, narrow: list[GatedEngine]
) -> None:
    first = caller(batcher, 0.0)
    await until(lambda: wide.batches)
    others = [caller(batcher, value) for value in (1.0, 2.0, 3.0, 4.0)]
    await asyncio.sleep(0)
    assert not any(engine.batches for engine in narrow)
    for engine in (wide, *narrow):
        engine.gate.set()
    await asyncio.gather(first, *others)
    assert [engine.batches for engine in narrow] == [[[1.0, 2.0]], [[3.0, 4.0]]]


async def test_what_is_still_being_decoded_leaves_a_stream_its_share(
    batcher: Batcher, narrow: list[GatedEngine]
) -> None:
    with batcher.admit(3, 1000.0) as decoding:
        ready = caller(batcher, 1.0)
        await until(lambda: narrow[0].batches)  # not the wide one: the three would wait for it
        answer = asyncio.ensure_future(decoding.infer([ROW + value for value in (2.0, 3.0, 4.0)]))
        await until(lambda: narrow[1].batches)
        assert [engine.batches for engine in narrow] == [[[1.0]], [[2.0, 3.0]]]
        for engine in narrow:
            engine.gate.set()
        assert await ready == [2.0]
        assert (await answer)[:, 0].tolist() == [4.0, 6.0, 8.0]


async def test_a_batch_is_divided_over_the_narrow_streams(batcher: Batcher, narrow: list[GatedEngine]) -> None:
    for engine in narrow:
        engine.gate.set()
    assert await caller(batcher, *range(12)) == [2 * value for value in range(12)]
    assert max(len(batch) for engine in narrow for batch in engine.batches) == batcher.times.max_batch == 4


async def test_the_streams_together_decide_what_is_admitted(
    batcher: Batcher, narrow: list[GatedEngine], clock: Clock
) -> None:
    running = caller(batcher, 1, 2, 3, 4)  # two each, which takes until 101.5
    await until(lambda: all(engine.batches for engine in narrow))
    with batcher.admit(4, clock.now + 3.0) as place:  # two more each, until 103
        assert place.rows == 4
    with pytest.raises(DeadlineUnmet, match=r"1\.000 seconds late"):
        batcher.admit(5, clock.now + 3.0)
    for engine in narrow:
        engine.gate.set()
    await running


async def test_an_image_that_is_alone_is_held_to_the_wide_streams_time(clock: Clock) -> None:
    def run(seconds: float) -> GatedEngine:
        engine = GatedEngine()
        engine.gate.set()
        infer = engine.infer

        def take(rows: np.ndarray) -> np.ndarray:
            clock.now += seconds * len(rows)
            return infer(rows)

        engine.infer = take  # type: ignore[method-assign]
        return engine

    metrics = Metrics().of_model("m")
    engines = run(0.5), run(1.0), run(1.0)
    wide, *narrow = (engine.infer for engine in engines)
    batcher = Batcher(wide, narrow=narrow, max_batch=4, queue_size=16, metrics=metrics, clock=clock)
    logits = await batcher.warm_up(ROW[np.newaxis])
    assert {size: found.shape for size, found in logits.items()} == {1: (1, 1), 4: (4, 1)}
    assert {len(batch) for batch in engines[0].batches} == {1}, "a batch would cost memory for nothing"
    try:
        with batcher.admit(1, clock.now + 0.6):
            pass
        with pytest.raises(DeadlineUnmet, match=r"0\.400 seconds late"):
            batcher.admit(2, clock.now + 0.6)
    finally:
        batcher.close()


async def test_a_stream_that_fails_fails_its_batch_alone(batcher: Batcher, narrow: list[GatedEngine]) -> None:
    narrow[0].error = RuntimeError("out of memory")
    for engine in narrow:
        engine.gate.set()
    with batcher.admit(2, 1000.0) as other:
        failed = caller(batcher, 1.0)  # the first stream has it by itself
        with pytest.raises(ServingError, match="RuntimeError"):
            await failed
        narrow[0].error = None
        assert (await other.infer([ROW + 2.0, ROW + 3.0]))[:, 0].tolist() == [4.0, 6.0]


@pytest.fixture
def open_gates(wide: GatedEngine, narrow: list[GatedEngine]) -> None:
    for engine in (wide, *narrow):
        engine.gate.set()


async def have_company(batcher: Batcher) -> None:
    for _ in range(10):
        await asyncio.gather(*[caller(batcher, value) for value in (1.0, 2.0, 3.0)])


@pytest.mark.usefixtures("open_gates")
async def test_an_image_that_is_seldom_alone_gets_a_narrow_stream(batcher: Batcher, wide: GatedEngine) -> None:
    """The wide one does less of its own in a second: near the peak, every gap would cost some of it."""
    await have_company(batcher)
    batches = len(wide.batches)
    assert await caller(batcher, 5.0) == [10.0]
    assert len(wide.batches) == batches
    for _ in range(20):
        await caller(batcher, 6.0)
    assert wide.batches[-1] == [6.0]


@pytest.mark.usefixtures("open_gates")
async def test_after_a_pause_an_image_is_alone(batcher: Batcher, wide: GatedEngine, clock: Clock) -> None:
    await have_company(batcher)
    clock.now += 1.1
    await caller(batcher, 6.0)
    assert wide.batches[-1] == [6.0]


@pytest.mark.usefixtures("open_gates")
async def test_an_image_without_time_for_a_narrow_stream_gets_the_wide_one(
    batcher: Batcher, wide: GatedEngine, clock: Clock
) -> None:
    await have_company(batcher)
    batcher.times.expect([0.0, 1.0, 1.5, 2.0, 2.5])
    await caller(batcher, 6.0, deadline=clock.now + 0.9)
    assert wide.batches[-1] == [6.0]
