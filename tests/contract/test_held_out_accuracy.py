"""How often the digits model is right, measured where its users are: through the HTTP door."""

import json
import struct
from pathlib import Path

import httpx
import pytest
import yaml
from servers import running_server

from model_builder.digits import LABELS, encode_png, load_split

BUNDLE = Path(__file__).parents[2] / "models/digits"
MANIFEST = yaml.safe_load((BUNDLE / "model.yaml").read_text())
CLAIMED = {variant["precision"]: variant["accuracy"] for variant in MANIFEST["variants"]}
LEAST_ACCURACY = 0.98
MOST_LOST_TO_INT8 = 0.005
BATCH = 60
HEADER_LENGTH = "Inference-Header-Content-Length"
WAIT_SECONDS = 60


@pytest.fixture(scope="module")
def held_out() -> tuple[list[bytes], list[str]]:
    """The images that the model was not trained on, as PNG files, and their labels."""
    held_out = load_split().held_out
    return [encode_png(picture) for picture in held_out.pictures], [LABELS[label] for label in held_out.labels]


@pytest.fixture(scope="module")
def accuracies(held_out: tuple[list[bytes], list[str]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    images, labels = held_out
    found = {}
    for precision in ("float32", "int8"):
        log = tmp_path_factory.mktemp("log") / "server.log"
        with running_server(log, "--models", str(BUNDLE), "--precision", precision) as server:
            said = [
                label
                for begin in range(0, len(images), BATCH)
                for label in ask(server.url, precision, images[begin : begin + BATCH])
            ]
        right = sum(one == other for one, other in zip(said, labels, strict=True))
        found[precision] = right / len(labels)
        print(f"{precision}: {right} of {len(labels)} held-out images right, {found[precision]:.4f}")  # noqa: T201
    return found


def test_float32_is_right_often_enough(accuracies: dict[str, float]) -> None:
    assert accuracies["float32"] >= LEAST_ACCURACY


def test_int8_loses_next_to_nothing(accuracies: dict[str, float]) -> None:
    assert accuracies["int8"] >= accuracies["float32"] - MOST_LOST_TO_INT8


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_bundle_claims_what_is_measured(
    precision: str, accuracies: dict[str, float], held_out: tuple[list[bytes], list[str]]
) -> None:
    assert MANIFEST["evaluation"]["images"] == len(held_out[0])
    # one image of 360 may fall on the other side on another CPU
    assert accuracies[precision] == pytest.approx(CLAIMED[precision], abs=0.003)


def ask(url: str, precision: str, images: list[bytes]) -> list[str]:
    """Return the likeliest label of each image; V2, as binary data, from the variant that is asked for."""
    data = b"".join(struct.pack("<I", len(image)) + image for image in images)
    tensor = {"name": "image", "datatype": "BYTES", "shape": [len(images)]}
    document = {
        "inputs": [{**tensor, "parameters": {"binary_data_size": len(data)}}],
        "outputs": [{"name": "labels"}],
        "parameters": {"top_k": 1},
    }
    header = json.dumps(document).encode()
    answer = httpx.post(
        f"{url}/v2/models/digits/infer",
        content=header + data,
        headers={HEADER_LENGTH: str(len(header)), "Content-Type": "application/octet-stream"},
        timeout=WAIT_SECONDS,
    )
    assert answer.status_code == 200, answer.text
    assert httpx.get(f"{url}/model/digits").json()["variant"]["precision"] == precision
    labels: list[str] = answer.json()["outputs"][0]["data"]
    return labels
