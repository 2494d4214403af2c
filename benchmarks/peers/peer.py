"""The peers: what they are called, how they are asked, and what they can do."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.decks import http_request

BOUNDARY = "c2a94f1f6b7e4d1d"
EVERY = ((1, 1), (1, 8), (2, 1), (2, 8))


@dataclass(frozen=True)
class Peer:
    """A server that is not ours.

    Attributes:
        name: As its makers spell it.
        version: What its lock file says.
        folder: Beside this file: ``server.py``, and its requirements if it is ``installed_apart``.
        build_request: From the bytes of a JPEG to a whole HTTP/1.1 request.
        read_class: From the body of an answer to the class.
        configurations: The numbers of workers and the largest batches that it can do.
        installed_apart: Whether it has an environment of its own.
        precision: Of its variant of the bundle.
    """

    name: str
    version: str
    folder: str
    build_request: Callable[[bytes], bytes]
    read_class: Callable[[bytes], int]
    configurations: tuple[tuple[int, int], ...] = EVERY
    installed_apart: bool = True
    precision: str = "int8"

    @property
    def path(self) -> Path:
        """Return where its folder is."""
        return Path(__file__).with_name(self.folder)

    @property
    def module(self) -> str:
        """Return what its environment's Python runs."""
        return f"benchmarks.peers.{self.folder}.server"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def post_json(path: str, document: Mapping[str, object]) -> bytes:
    """Return a request of JSON."""
    return http_request(path, json.dumps(document).encode(), {"Content-Type": "application/json"})


def post_file(path: str, field: str, image: bytes) -> bytes:
    """Return a request of a form with one file, as a browser or ``requests`` would send it."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="image.jpg"\r\n'
    body = f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()
    return http_request(path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})


def _post_v1(image: bytes) -> bytes:
    text = base64.b64encode(image).decode()
    return post_json("/v1/models/resnet-50:predict", {"instances": [{"image": {"b64": text}}]})


def _post_v2(image: bytes) -> bytes:
    tensor = {
        "name": "image",
        "shape": [1, 1],
        "datatype": "BYTES",
        "parameters": {"content_type": "base64"},
        "data": [base64.b64encode(image).decode()],
    }
    return post_json("/v2/models/resnet-50/infer", {"inputs": [tensor]})


KSERVE_SDK = Peer(
    "KServe SDK",
    "0.21.0",
    "kserve_sdk",
    build_request=_post_v1,
    read_class=lambda body: int(json.loads(body)["predictions"][0]),
    configurations=((1, 1), (2, 1)),  # it batches nothing: KServe leaves that to another container
)
MLSERVER = Peer(
    "MLServer",
    "1.7.1",
    "mlserver",
    build_request=_post_v2,
    read_class=lambda body: int(json.loads(body)["outputs"][0]["data"][0]),
)
LITSERVE = Peer(
    "LitServe",
    "0.2.19",
    "litserve",
    build_request=lambda image: post_file("/predict", "image", image),
    read_class=lambda body: int(json.loads(body)["class"]),
)
BENTOML = Peer(
    "BentoML",
    "1.4.40",
    "bentoml",
    build_request=lambda image: post_file("/classify", "images", image),
    read_class=lambda body: int(json.loads(body)[0]),
)
RAY_SERVE = Peer(
    "Ray Serve",
    "2.60.0",
    "ray_serve",
    build_request=lambda image: http_request("/", image, {"Content-Type": "image/jpeg"}),
    read_class=lambda body: int(json.loads(body)["class"]),
)
PEERS = (KSERVE_SDK, MLSERVER, LITSERVE, BENTOML, RAY_SERVE)
"""With the same bundle and the same engine as ours."""

NEWCOMER = Peer(
    "KServe's torch sample",
    "0.21.0",
    "torch_sample",
    build_request=_post_v1,
    read_class=lambda body: int(json.loads(body)["predictions"][0]),
    configurations=((1, 1),),
    installed_apart=False,
    precision="float32",
)
"""What someone has who follows the sample: torch, float32, and a transform that is built at every request."""
