import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model_builder.assessment import Assessment
from model_builder.drawing import choose_classes, draw_assessment
from model_builder.scores import score
from model_server.bundle import Bundle, read_bundle

SHIPPED = Path(__file__).parents[3] / "models/digits"


@pytest.mark.parametrize(
    ("class_count", "variants"), [(2, 1), (26, 2), (60, 4)], ids=["two labels", "no counts", "the most confused"]
)
def test_every_number_of_labels_gives_a_picture(class_count: int, variants: int) -> None:
    labels = [f"label ${number}$ with a name that goes on and on" for number in range(class_count)]
    manifest = read_bundle(SHIPPED).manifest.model_copy(update={"labels": labels, "trained_on": None})
    random = np.random.default_rng(0)
    truth = random.integers(0, class_count, 500)
    logits = random.standard_normal((500, class_count), np.float32)
    scores = {f"variant {number}": score(logits, truth) for number in range(variants)}
    assessment = Assessment(Bundle(Path("x"), manifest, "0" * 64), "album", 500, 2, scores)
    image = Image.open(io.BytesIO(draw_assessment(assessment)))
    image.load()
    assert image.format == "PNG"
    assert min(image.size) > 600
    assert max(image.size) < 4000


def test_up_to_fifty_labels_all_that_occur_are_drawn() -> None:
    confusion = np.zeros((1000, 1000), np.int64)
    confusion[3, 3], confusion[7, 900] = 5, 1
    assert choose_classes(confusion).tolist() == [3, 7, 900]


def test_of_more_the_most_confused_are_drawn_in_their_order() -> None:
    confusion = np.eye(60, dtype=np.int64) * 10
    confusion[50, 5] = confusion[40, 4] = 3
    chosen = choose_classes(confusion).tolist()
    assert len(chosen) == 20
    assert chosen == sorted(chosen)
    assert {4, 5, 40, 50} <= set(chosen)
