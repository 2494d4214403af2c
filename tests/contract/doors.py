"""Requests through every door of the REST port, and what every refusal and every right answer looks like."""

import base64
import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pictures import PICTURES

MODEL = "colours"
INFER = f"/v2/models/{MODEL}/infer"
PREDICT_V1 = f"/v1/models/{MODEL}:predict"
PREDICT = f"/model/{MODEL}/predict"
LENGTH_HEADER = "Inference-Header-Content-Length"
BOUNDARY = "boundary"
ANSWER_SECONDS = 60
SMALL = {"max_body_bytes": 100_000, "max_image_pixels": 10_000, "max_images": 3, "queue_size": 3}
"""The limits of the small server."""


def brief(value: object) -> str:
    """Return what a test's name says of one of its values."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}... of {len(text)}"


@dataclass(frozen=True)
class Call:
    """A request, whoever sends it and however."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"

    def send(self, client: httpx.Client) -> httpx.Response:
        return client.request(self.method, self.path, content=self.body, headers=dict(self.headers))

    async def send_async(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.request(self.method, self.path, content=self.body, headers=dict(self.headers))

    def with_headers(self, **headers: str) -> "Call":
        """Return the call with other headers; ``content_type="…"`` stands for Content-Type."""
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        return Call(self.path, self.body, {**self.headers, **named}, self.method)

    def to_bytes(self, *, length: int | None = None) -> bytes:
        """Return the request as it goes over the wire; ``length`` is a Content-Length that may be a lie."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body) if length is None else length}"]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def v2(document: object, path: str = INFER) -> Call:
    """Return a V2 request of nothing but JSON."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Call(path, body, {"Content-Type": "application/json"})


def v2_with_tail(document: object, tail: bytes, header_length: str | None = None) -> Call:
    """Return a V2 request with binary data behind its JSON."""
    header = json.dumps(document).encode()
    headers = {
        "Content-Type": "application/octet-stream",
        LENGTH_HEADER: str(len(header)) if header_length is None else header_length,
    }
    return Call(INFER, header + tail, headers)


def v1(document: object) -> Call:
    """Return a V1 request."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Call(PREDICT_V1, body, {"Content-Type": "application/json"})


def form(body: bytes, boundary: str = BOUNDARY) -> Call:
    """Return a multipart request."""
    return Call(PREDICT, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})


def part(file: bytes, disposition: str = 'form-data; name="image"; filename="image"') -> bytes:
    """Return one part of a multipart form."""
    return f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + file + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def b64(file: bytes) -> str:
    return base64.b64encode(file).decode()


def framed(*files: bytes) -> bytes:
    """Return BYTES elements as the binary extension has them."""
    return b"".join(prefixed(len(file), file) for file in files)


def prefixed(length: int, data: bytes) -> bytes:
    """Return a BYTES element whose length may be a lie."""
    return struct.pack("<I", length) + data


def _timeout(seconds: float | None) -> dict[str, Any]:
    return {} if seconds is None else {"parameters": {"timeout": round(seconds * 1e6)}}


def ask_v2_json(*files: bytes, timeout_seconds: float | None = None) -> Call:
    images = {"name": "image", "datatype": "BYTES", "shape": [len(files)], "data": [b64(file) for file in files]}
    return v2({"inputs": [images], **_timeout(timeout_seconds)})


def ask_v2_binary(*files: bytes, timeout_seconds: float | None = None) -> Call:
    tail = framed(*files)
    parameters = {"binary_data_size": len(tail)}
    images = {"name": "image", "datatype": "BYTES", "shape": [len(files)], "parameters": parameters}
    return v2_with_tail({"inputs": [images], **_timeout(timeout_seconds)}, tail)


def ask_v1(*files: bytes, timeout_seconds: float | None = None) -> Call:
    instances = [{"image": {"b64": b64(file)}} for file in files]
    return v1({"instances": instances, **_timeout(timeout_seconds)})


def ask_raw(file: bytes, *, timeout_seconds: float | None = None) -> Call:
    query = "" if timeout_seconds is None else f"?timeout_seconds={timeout_seconds:f}"
    return Call(PREDICT + query, file, {"Content-Type": "application/x-www-form-urlencoded"})  # curl says so


def ask_multipart(*files: bytes, timeout_seconds: float | None = None) -> Call:
    query = "" if timeout_seconds is None else f"?timeout_seconds={timeout_seconds:f}"
    call = form(b"".join(map(part, files)) + END)
    return Call(PREDICT + query, call.body, call.headers)


MANY: dict[str, Callable[..., Call]] = {
    "v2-json": ask_v2_json,
    "v2-binary": ask_v2_binary,
    "v1": ask_v1,
    "multipart": ask_multipart,
}
"""The doors that take several images in a request."""

DOORS: dict[str, Callable[..., Call]] = {**MANY, "raw": ask_raw}


def top_labels(response: httpx.Response) -> list[str]:
    """Return the first label of each image, whichever door answered."""
    assert response.status_code == 200, response.text
    document = response.json()
    if "outputs" in document:
        labels = next(output for output in document["outputs"] if output["name"] == "labels")
        images, each = labels["shape"]
        assert len(labels["data"]) == images * each
        return labels["data"][::each]
    predictions = document["predictions"]
    images = [predictions] if isinstance(predictions[0], dict) else predictions
    return [image[0]["label"] for image in images]


def logits(client: httpx.Client, *files: bytes) -> list[list[float]]:
    """Ask for the logits of each image."""
    document = json.loads(ask_v2_json(*files).body)
    response = v2({**document, "outputs": [{"name": "logits"}]}).send(client)
    assert response.status_code == 200, response.text
    (output,) = response.json()["outputs"]
    images, classes = output["shape"]
    assert images == len(files)
    return [output["data"][index * classes : (index + 1) * classes] for index in range(images)]


def assert_refused(response: httpx.Response, status: int, *words: str) -> None:
    """Hold a refusal against its contract: the status, one JSON field, what its text says, and Retry-After."""
    assert response.status_code == status, f"{response.status_code} instead of {status}: {response.text}"
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert set(document) == {"error"}
    error = document["error"]
    assert isinstance(error, str)
    assert 10 < len(error) < 600, error
    missing = [word for word in words if word not in error]
    assert not missing, f"{missing} not in {error!r}"
    if status in (429, 503):
        assert int(response.headers["retry-after"]) >= 1
    else:
        assert "retry-after" not in response.headers


GOOD: Sequence[str] = tuple(PICTURES)
"""The labels of ``good_call``, in order."""


def good_call() -> Call:
    return ask_v2_json(*PICTURES.values())


def assert_good(live: httpx.Response, answer: httpx.Response) -> None:
    assert (live.status_code, live.json()) == (200, {"live": True})
    assert top_labels(answer) == list(GOOD)


@contextmanager
def unharmed(client: httpx.Client) -> Iterator[httpx.Client]:
    """Lend a client, then see that its server is live and answers the next good request right."""
    yield client
    assert_good(client.get("/v2/health/live"), good_call().send(client))


async def assert_unharmed(client: httpx.AsyncClient) -> None:
    assert_good(await client.get("/v2/health/live"), await good_call().send_async(client))


def peak_memory_bytes(process_id: int) -> int:
    """Return the most memory that a process had at once."""
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise LookupError("no VmHWM")
