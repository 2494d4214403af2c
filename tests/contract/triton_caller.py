"""Triton's own HTTP clients, a process of their own: in one with kserve both define the same protobuf messages.

``triton_caller.py '{"url": …, "model": …}'`` says what they tell of the server and the model. With ``questions``,
a list of ``{"name": …, "input": …, "files": […]}``, it says "ready", waits for a line on stdin and asks each through
every door: one after the other, or with ``callers`` of each client at once where that is more than 1.
"""

import asyncio
import base64
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.http as sync_client
import tritonclient.http.aio as aio_client

OUTPUTS = ("labels", "probabilities", "classes")
READY = "ready"


@dataclass(frozen=True)
class Door:
    """A way to ask: which client, whether tensors go and come as binary data, how the request is compressed.

    With ``binary_outputs`` None no output is named and the client asks for all of them, as binary data.
    """

    client: str
    binary_input: bool = True
    binary_outputs: bool | None = True
    compression: str | None = None

    def __str__(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in asdict(self).items())

    def inputs(self, question: dict[str, Any]) -> list[sync_client.InferInput]:
        """Return a question's tensor: files as they are, or arrays of shape [1, …] one behind the other."""
        files = [Path(file) for file in question["files"]]
        if question["input"] == "image":
            images = [file.read_bytes() for file in files]
            values: list[object] = list(images if self.binary_input else map(_to_base64, images))
            tensor, datatype = np.array(values, np.object_), "BYTES"
        else:
            tensor = np.concatenate([np.load(file) for file in files])
            datatype = {"uint8": "UINT8", "float32": "FP32"}[str(tensor.dtype)]
        given = sync_client.InferInput(question["input"], list(tensor.shape), datatype)
        return [given.set_data_from_numpy(tensor, binary_data=self.binary_input)]

    def arguments(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return what both clients' ``infer`` take beside the model's name."""
        outputs = None
        if self.binary_outputs is not None:
            outputs = [sync_client.InferRequestedOutput(name, binary_data=self.binary_outputs) for name in OUTPUTS]
        return {
            "inputs": self.inputs(question),
            "outputs": outputs,
            "request_id": question["name"],
            "request_compression_algorithm": self.compression,
        }


DOORS = [
    Door(client, binary_input, binary_outputs, compression)
    for client in ("sync", "aio")
    for binary_input, binary_outputs, compression in (
        (True, True, None),
        (False, False, None),
        (True, False, None),
        (False, True, None),
        (True, None, None),
        (True, True, "gzip"),
        (False, False, "gzip"),
        (True, True, "deflate"),
    )
]


def main() -> None:
    """Read the job, do it, print its outcome as JSON."""
    job = json.loads(sys.argv[1])
    address = job["url"].removeprefix("http://")
    if "questions" not in job:
        outcome: object = {
            "sync": _describe(address, job["model"]),
            "aio": asyncio.run(_describe_aio(address, job["model"])),
        }
    else:
        _write(READY)
        sys.stdin.readline()
        outcome = _ask(address, **{key: job[key] for key in ("model", "questions", "callers")})
    _write(json.dumps(outcome))


Share = list[tuple[Door, dict[str, Any]]]


def _ask(address: str, model: str, questions: list[dict[str, Any]], callers: int) -> list[dict[str, Any]]:
    pairs = [(door, question) for question in questions for door in DOORS]
    if callers == 1:
        return _ask_sync(address, model, pairs) + asyncio.run(_ask_aio(address, model, pairs))
    shares: list[Share] = [[] for _ in range(callers)]
    for index, pair in enumerate(pairs):
        shares[(index + index // len(DOORS)) % callers].append(pair)  # nobody always asks at the same door

    async def ask_in_threads_and_tasks() -> list[list[dict[str, Any]]]:
        with ThreadPoolExecutor(callers) as threads:
            loop = asyncio.get_running_loop()
            sync = [loop.run_in_executor(threads, _ask_sync, address, model, share) for share in shares]
            return await asyncio.gather(*sync, *(_ask_aio(address, model, share) for share in shares))

    return [answer for answers in asyncio.run(ask_in_threads_and_tasks()) for answer in answers]


def _ask_sync(address: str, model: str, share: Share) -> list[dict[str, Any]]:
    with sync_client.InferenceServerClient(address, network_timeout=60) as client:
        return [
            _read(door, question, client.infer(model, **door.arguments(question)))
            for door, question in share
            if door.client == "sync"
        ]


async def _ask_aio(address: str, model: str, share: Share) -> list[dict[str, Any]]:
    async with aio_client.InferenceServerClient(address) as client:
        return [
            _read(door, question, await client.infer(model, **door.arguments(question)))
            for door, question in share
            if door.client == "aio"
        ]


def _read(door: Door, question: dict[str, Any], result: sync_client.InferResult) -> dict[str, Any]:
    labels, probabilities, classes = (result.as_numpy(name) for name in OUTPUTS)
    return {
        "door": str(door),
        "name": result.get_response()["id"],
        "labels": [[label.decode() if isinstance(label, bytes) else label for label in row] for row in labels],
        "probabilities": probabilities.tolist(),
        "classes": classes.tolist(),
    }


def _describe(address: str, model: str) -> dict[str, Any]:
    with sync_client.InferenceServerClient(address) as client:
        metadata = client.get_model_metadata(model)
        version = metadata["versions"][0]
        return {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model_ready": client.is_model_ready(model),
            "version_ready": client.is_model_ready(model, version),
            "other_version_ready": client.is_model_ready(model, "1"),
            "other_model_ready": client.is_model_ready("nobody"),
            "metadata": metadata,
            "version_metadata": client.get_model_metadata(model, version),
            "server": client.get_server_metadata(),
        }


async def _describe_aio(address: str, model: str) -> dict[str, Any]:
    async with aio_client.InferenceServerClient(address) as client:
        metadata = await client.get_model_metadata(model)
        version = metadata["versions"][0]
        return {
            "live": await client.is_server_live(),
            "ready": await client.is_server_ready(),
            "model_ready": await client.is_model_ready(model),
            "version_ready": await client.is_model_ready(model, version),
            "other_version_ready": await client.is_model_ready(model, "1"),
            "other_model_ready": await client.is_model_ready("nobody"),
            "metadata": metadata,
            "version_metadata": await client.get_model_metadata(model, version),
            "server": await client.get_server_metadata(),
        }


def _to_base64(image: bytes) -> str:
    return base64.b64encode(image).decode()


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
