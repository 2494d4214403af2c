"""Requests of every kind, sound and not, each with the status that it must get."""

import io
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks import photographs
from benchmarks.decks import (
    Deck,
    grpc_request,
    http_request,
    plain_request,
    v2_pixels_request,
    v2_request,
    write_deck,
)

SMALL, LARGE = "digits", "resnet-50"
"""The model that gets most, and the one beside it."""
SIZES = ((1, 1), (3, 700), (64, 48), (500, 334), (1200, 900))
BAD_GRPC, BAD_HTTP = "INVALID_ARGUMENT", "400"
Making = Callable[[int], tuple[bytes, str]]
"""Makes the n-th request of a kind, and names the status that it must get."""


@dataclass(frozen=True)
class Mixture:
    """A deck, and how often each status must come in one pass over it."""

    deck: Deck
    expected: Counter[str]


class Pictures:
    """What is sent: files by kind."""

    def __init__(self) -> None:
        self.digits = photographs.digits()
        self.photos = photographs.jpegs(64)
        self.large = photographs.large_jpegs(4)
        self.sized = [_resized(size, kind) for size in SIZES for kind in ("JPEG", "PNG", "WEBP")]
        self.bad = [self.photos[0][:9000], self.digits[0][:-12], b"no image", b"", _flipped(self.digits[0])]


def mix_http(count: int, pictures: Pictures) -> Mixture:
    """Return a mixture for HTTP: nine in ten requests are for the digits, one in twelve can't be answered."""
    digits, bad, small = pictures.digits, pictures.bad, np.zeros((2, 8, 8, 3), np.uint8)
    kinds: list[tuple[int, Making]] = [
        (300, lambda n: (v2_request(SMALL, [_at(digits, n)]), "200")),
        (200, lambda n: (plain_request(SMALL, _at(digits, n)), "200")),
        (100, lambda n: (_v1([_at(digits, n), _at(digits, n + 1)]), "200")),
        (60, lambda n: (v2_request(SMALL, [_at(digits, n + each) for each in range(1 + n % 16)]), "200")),
        (60, lambda n: (v2_pixels_request(SMALL, small + np.uint8(n % 256)), "200")),
        (60, lambda n: (plain_request(SMALL, _at(pictures.sized, n)), "200")),
        (30, lambda n: (v2_request(LARGE, [_at(pictures.photos, n)]), "200")),
        (4, lambda n: (plain_request(SMALL, _at(pictures.large, n)), "200")),
        (20, lambda n: (plain_request(SMALL, _at(bad, n)), BAD_HTTP)),
        (20, lambda n: (v2_request(SMALL, [_at(digits, n), _at(bad, n)]), BAD_HTTP)),
        (10, lambda n: (plain_request(f"model-{n}", _at(digits, n)), "404")),
        (10, lambda n: (http_request(f"/nowhere/{n}", _at(digits, n)), "404")),
        (5, lambda _: (http_request("/v2/health/live", b""), "405")),
        (
            10,
            lambda n: (_json({"inputs": [{"name": "image", "datatype": "FP32", "shape": [n], "data": []}]}), BAD_HTTP),
        ),
        (
            10,
            lambda n: (
                _json({"inputs": [{"name": "pixels", "datatype": "UINT8", "shape": [1, n], "data": [n]}]}),
                "400",
            ),
        ),
        (10, lambda n: (http_request(f"/v2/models/{SMALL}/infer", b'{"inputs": [' * (n % 5 + 1)), BAD_HTTP)),
        (5, lambda n: (v2_request(SMALL, [_at(digits, n)] * 65), "413")),
        (5, lambda n: (http_request(f"/model/{SMALL}/predict?top_k={n + 11}", _at(digits, n)), BAD_HTTP)),
    ]
    return _mix("soak-http", count, kinds)


def mix_grpc(count: int, pictures: Pictures) -> Mixture:
    """Return a mixture for gRPC."""
    digits, bad = pictures.digits, pictures.bad
    kinds: list[tuple[int, Making]] = [
        (70, lambda n: (grpc_request(SMALL, [_at(digits, n)]), "OK")),
        (10, lambda n: (grpc_request(SMALL, [_at(digits, n + each) for each in range(1 + n % 16)]), "OK")),
        (5, lambda n: (grpc_request(LARGE, [_at(pictures.photos, n)]), "OK")),
        (5, lambda n: (grpc_request(SMALL, [_at(bad, n)]), BAD_GRPC)),
        (3, lambda n: (grpc_request(f"model-{n}", [_at(digits, n)]), "NOT_FOUND")),
        (2, lambda _: (grpc_request(SMALL, []), BAD_GRPC)),
    ]
    return _mix("soak-grpc", count, kinds)


def _mix(name: str, count: int, kinds: Sequence[tuple[int, Making]]) -> Mixture:
    random = np.random.default_rng(0)
    weights = np.array([weight for weight, _ in kinds], float)
    chosen = random.choice(len(kinds), count, p=weights / weights.sum())
    made = [kinds[kind][1](number) for number, kind in enumerate(chosen)]
    deck = write_deck(name, [request for request, _ in made], protocol="grpc" if name.endswith("grpc") else "http")
    return Mixture(deck, Counter(status for _, status in made))


def _at(files: Sequence[bytes], number: int) -> bytes:
    return files[number % len(files)]


def _v1(images: Sequence[bytes]) -> bytes:
    instances = [{"image": {"b64": b64encode(image).decode()}} for image in images]
    return http_request(f"/v1/models/{SMALL}:predict", json.dumps({"instances": instances}).encode())


def _json(tensor: dict[str, object]) -> bytes:
    return http_request(f"/v2/models/{SMALL}/infer", json.dumps({"inputs": [tensor]}).encode())


def _resized(size: tuple[int, int], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(photographs.jpegs(1)[0])).resize(size).save(buffer, kind)
    return buffer.getvalue()


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
