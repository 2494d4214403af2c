"""A deck: requests that are ready to be written to a connection, so that the client's work is the least there is."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks import photographs
from model_server.codec.grpc_messages import message_type

DECKS = Path("build/benchmarks/decks")
HOST = "127.0.0.1"
MICROSECONDS = 1_000_000
BATCH = 8
Protocol = Literal["http", "grpc"]


@dataclass(frozen=True)
class Deck:
    """A file of requests, each behind its length; ``images`` is how many are in each."""

    path: Path
    protocol: Protocol
    images: int = 1


def write_deck(name: str, requests: Sequence[bytes], *, protocol: Protocol = "http", images: int = 1) -> Deck:
    """Write requests into a file, each behind its length, 4 bytes, little-endian."""
    DECKS.mkdir(parents=True, exist_ok=True)
    path = DECKS / name
    with path.open("wb") as file:
        for request in requests:
            file.write(struct.pack("<I", len(request)))
            file.write(request)
    return Deck(path, protocol, images)


def read_deck(deck: Deck) -> list[bytes]:
    """Return the requests of a deck."""
    data, requests, position = deck.path.read_bytes(), [], 0
    while position < len(data):
        begin = position + 4
        position = begin + struct.unpack_from("<I", data, position)[0]
        requests.append(data[begin:position])
    return requests


def http_request(path: str, body: bytes, headers: dict[str, str] | None = None, *, method: str = "POST") -> bytes:
    """Return a whole HTTP/1.1 request; the connection is kept."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def plain_request(model: str, image: bytes, *, timeout_seconds: float | None = None) -> bytes:
    """Return an image for ``/model/<id>/predict``."""
    query = "" if timeout_seconds is None else f"?timeout_seconds={timeout_seconds:g}"
    return http_request(f"/model/{model}/predict{query}", image)


def v2_request(model: str, images: Sequence[bytes], *, timeout_seconds: float | None = None) -> bytes:
    """Return encoded images for V2, as BYTES ``[N]`` behind the JSON."""
    data = b"".join(struct.pack("<I", len(image)) + image for image in images)
    return _v2(model, "image", "BYTES", [len(images)], data, timeout_seconds)


def v2_pixels_request(model: str, images: NDArray[np.uint8], *, timeout_seconds: float | None = None) -> bytes:
    """Return decoded images for V2, UINT8 ``[N, H, W, 3]``."""
    return _v2(model, "pixels", "UINT8", list(images.shape), images.tobytes(), timeout_seconds)


def grpc_request(model: str, images: Sequence[bytes], *, timeout_seconds: float | None = None) -> bytes:
    """Return a ModelInferRequest of encoded images, in its ``raw_input_contents``."""
    message: Any = message_type("ModelInferRequest")(model_name=model)
    message.inputs.add(name="image", datatype="BYTES", shape=[len(images)])
    message.raw_input_contents.append(b"".join(struct.pack("<I", len(image)) + image for image in images))
    if timeout_seconds is not None:
        message.parameters["timeout"].int64_param = round(timeout_seconds * MICROSECONDS)
    serialised: bytes = message.SerializeToString()
    return serialised


def _v2(model: str, name: str, datatype: str, shape: list[int], data: bytes, timeout_seconds: float | None) -> bytes:
    tensor = {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": len(data)}}
    parameters: dict[str, object] = {"binary_data_output": True}
    if timeout_seconds is not None:
        parameters["timeout"] = round(timeout_seconds * MICROSECONDS)
    head = json.dumps({"inputs": [tensor], "parameters": parameters}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return http_request(f"/v2/models/{model}/infer", head + data, headers)


DOORS = ("v2", "model", "grpc")
IMAGES = ("jpeg", "png", "large", "batch", "pixels")
"""What ``make_deck`` knows; a batch is of eight JPEGs, pixels are decoded."""


def takes(door: str, images: str) -> bool:
    """Tell whether there are such decks for a door."""
    return door == "v2" or images not in ("batch", "pixels") or (door, images) == ("grpc", "batch")


def make_deck(door: str, images: str, model: str, *, timeout_seconds: float | None = None) -> Deck:
    """Write a deck of every photograph of a kind for a door that takes them."""
    hurry = "" if timeout_seconds is None else f"-{timeout_seconds:g}s"
    name = f"{model}-{door}-{images}{hurry}"
    if images == "pixels":
        arrays = photographs.pixels()
        requests = [v2_pixels_request(model, array[np.newaxis], timeout_seconds=timeout_seconds) for array in arrays]
        return write_deck(name, requests)
    if images == "batch":
        photos = photographs.jpegs()
        groups = [photos[begin : begin + BATCH] for begin in range(0, len(photos), BATCH)]
    else:
        files = {"jpeg": photographs.jpegs, "png": photographs.pngs, "large": photographs.large_jpegs}[images]()
        groups = [[file] for file in files]
    if door == "model":
        requests = [plain_request(model, image, timeout_seconds=timeout_seconds) for (image,) in groups]
    else:
        write = grpc_request if door == "grpc" else v2_request
        requests = [write(model, group, timeout_seconds=timeout_seconds) for group in groups]
    return write_deck(name, requests, protocol="grpc" if door == "grpc" else "http", images=len(groups[0]))


def make_digits_deck(door: str) -> Deck:
    """Write a deck of small images for the digits."""
    write = plain_request if door == "model" else lambda model, image: v2_request(model, [image])
    return write_deck(f"digits-{door}", [write("digits", image) for image in photographs.digits()])
