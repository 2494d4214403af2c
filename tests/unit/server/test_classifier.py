"""The classifier: what its warm-up refuses, and what it refuses of a model that gives no sense."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from model_server.batching import Batcher
from model_server.bundle import read_bundle
from model_server.classifier import Classifier
from model_server.errors import BundleError, InvalidInput, TooLarge
from model_server.imaging import Imaging
from model_server.metrics import Metrics
from model_server.predictor import VisionModel
from model_server.types import Pixels, Query

Infer = Callable[[np.ndarray], np.ndarray]
GREY = Pixels(np.full((2, 16, 16, 3), 128, np.uint8))


@pytest.fixture
def classifier(colour_bundle: Path):
    """A maker of classifiers around an `infer`."""
    bundle = read_bundle(colour_bundle)
    made = []
    metrics = Metrics().of_model("m")
    with ThreadPoolExecutor(1) as pool:

        def make(infer: Infer) -> Classifier:
            made.append(
                Classifier(
                    bundle,
                    bundle.manifest.variants[0],
                    imaging=Imaging(bundle.manifest.preprocessing),
                    batcher=Batcher(infer, max_batch=2, queue_size=4, metrics=metrics),
                    metrics=metrics,
                    pool=pool,
                    max_images=2,
                    default_timeout_seconds=10,
                )
            )
            return made[-1]

        yield make
        for one in made:
            one.close()


def fail(rows: np.ndarray) -> np.ndarray:
    raise RuntimeError(f"cannot take {rows.shape}\nat all")


@pytest.mark.parametrize(
    ("infer", "message"),
    [
        (
            lambda rows: np.zeros((len(rows), 4), np.float32),
            r"\(1, 4\) for 1 images; with 3 labels .* must be \(1, 3\)",
        ),
        (lambda _: np.zeros((1, 3), np.float32), r"\(1, 3\) for 2 images"),
        (lambda rows: np.full((len(rows), 3), np.nan, np.float32), "not finite in int8"),
        (fail, r"fails on an image of crop = 16 pixels: cannot take \(1, 16, 16, 3\) at all"),
    ],
    ids=["labels", "batch", "nan", "error"],
)
async def test_a_graph_that_does_not_suit_its_manifest_never_serves(classifier, infer: Infer, message: str) -> None:
    with pytest.raises(BundleError, match=message) as refusal:
        await classifier(infer).warm_up()
    assert "model.xml, model.bin" in str(refusal.value)


async def test_logits_that_are_not_finite_are_no_answer(classifier) -> None:
    one = classifier(lambda rows: np.full((len(rows), 3), np.inf, np.float32))
    with pytest.raises(InvalidInput, match="no finite answer"):
        await one.classify(Query(GREY))


async def test_more_images_than_are_taken(classifier) -> None:
    one = classifier(lambda rows: np.zeros((len(rows), 3), np.float32))
    with pytest.raises(TooLarge, match="3 images in one request; at most 2"):
        await one.classify(Query(Pixels(np.zeros((3, 16, 16, 3), np.uint8))))


async def test_the_loop_goes_on_while_the_engine_works(classifier) -> None:
    one = classifier(lambda rows: (time.sleep(0.2), np.zeros((len(rows), 3), np.float32))[1])
    work = asyncio.ensure_future(one.classify(Query(GREY)))
    turns = 0
    while not work.done():
        turns += 1
        await asyncio.sleep(0.001)
    assert turns > 10


def test_kserves_own_ways_of_loading_leave_a_model_without_a_classifier_unready(colour_bundle: Path) -> None:
    bundle = read_bundle(colour_bundle)
    model = VisionModel("colours", bundle, bundle.manifest.variants[0], Metrics().of_model("colours"), max_images=4)
    model.start()
    asyncio.run(model.start_engine())
    assert not model.load()
    assert not model.ready
