"""The server's own codecs read what the clients will send."""

from pathlib import Path

import h11
import numpy as np
import pytest

from benchmarks import decks
from benchmarks.decks import (
    BATCH,
    DOORS,
    IMAGES,
    grpc_request,
    make_deck,
    plain_request,
    read_deck,
    takes,
    v2_pixels_request,
    v2_request,
    write_deck,
)
from model_server.codec.grpc import decode_infer
from model_server.codec.grpc_messages import message_type
from model_server.codec.options import read_query_string
from model_server.codec.v2_binary import LENGTH_HEADER
from model_server.codec.v2_json import decode_v2
from model_server.types import EncodedImages, Pixels, Query, Signature, TensorSpec

SIGNATURE = Signature(
    name="digits",
    version="0123456789ab",
    platform="openvino_int8",
    inputs=(TensorSpec("image", "BYTES", (-1,)), TensorSpec("pixels", "UINT8", (-1, -1, -1, 3))),
    outputs=(TensorSpec("labels", "BYTES", (-1, -1)),),
    class_count=10,
    max_images=8,
)
FILES = [bytes([number]) * (number + 3) for number in range(3)]


@pytest.fixture(autouse=True)
def _few_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decks, "DECKS", tmp_path)
    for name in ("jpegs", "pngs", "large_jpegs"):
        monkeypatch.setattr(f"benchmarks.photographs.{name}", lambda: [b"%d" % number for number in range(16)])
    monkeypatch.setattr("benchmarks.photographs.pixels", lambda: np.zeros((16, 4, 4, 3), np.uint8))


def parse(request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return the path, the headers and the body of a request, which must be whole and alone."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(request)
    head, body = connection.next_event(), b""
    assert isinstance(head, h11.Request)
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert connection.trailing_data == (b"", False)
    return head.target.decode(), {name.decode(): value.decode() for name, value in head.headers}, body


def read_v2(request: bytes) -> Query:
    path, headers, body = parse(request)
    assert path == "/v2/models/digits/infer"
    return decode_v2(body, headers[LENGTH_HEADER.lower()], SIGNATURE).query


def test_an_image_is_the_body_of_a_plain_request() -> None:
    path, _, body = parse(plain_request("digits", FILES[2]))
    assert (path, body) == ("/model/digits/predict", FILES[2])
    path, _, _ = parse(plain_request("digits", FILES[2], timeout_seconds=0.05))
    name, _, value = path.partition("?")[2].partition("=")
    assert read_query_string({name: value}, 10) == (None, 0.05)


def test_v2_holds_images_and_the_time_they_may_take() -> None:
    query = read_v2(v2_request("digits", FILES, timeout_seconds=0.1))
    assert isinstance(query.content, EncodedImages)
    assert list(query.content.files) == FILES
    assert query.timeout_seconds == 0.1
    assert read_v2(v2_request("digits", FILES)).timeout_seconds is None


def test_v2_holds_pixels() -> None:
    pixels = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    content = read_v2(v2_pixels_request("digits", pixels)).content
    assert isinstance(content, Pixels)
    assert np.array_equal(content.values, pixels)


def test_grpc_holds_images_and_the_time_they_may_take() -> None:
    message = message_type("ModelInferRequest").FromString(grpc_request("digits", FILES, timeout_seconds=0.1))
    request = decode_infer(message, SIGNATURE)
    assert isinstance(request.query.content, EncodedImages)
    assert list(request.query.content.files) == FILES
    assert request.query.timeout_seconds == 0.1
    assert request.raw


def test_a_deck_goes_round() -> None:
    deck = write_deck("files", FILES, images=3)
    assert read_deck(deck) == FILES


@pytest.mark.parametrize(
    ("door", "images"), [(door, images) for door in DOORS for images in IMAGES if takes(door, images)]
)
def test_every_kind_of_image_goes_through_every_door_that_takes_it(door: str, images: str) -> None:
    deck = make_deck(door, images, "digits", timeout_seconds=1.0)
    requests = read_deck(deck)
    assert deck.images * len(requests) == 16
    assert deck.images == (BATCH if images == "batch" else 1)
    assert deck.protocol == ("grpc" if door == "grpc" else "http")
    if door == "v2":
        assert all(read_v2(request).timeout_seconds == 1.0 for request in requests)


def test_two_decks_do_not_share_a_file() -> None:
    made = [make_deck(door, images, "digits") for door in DOORS for images in IMAGES if takes(door, images)]
    assert len({deck.path for deck in made}) == len(made)
