"""Triton's own clients, a process of their own: in one with kserve both define the same protobuf messages.

``triton_caller.py '{"addresses": {"http": …, "grpc": …}, "model": …, "questions": …, "callers": …}'``, where questions
are a list of ``{"name": …, "input": …, "files": […]}``, says "ready", waits for a line on stdin and asks each through
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
import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio

OUTPUTS = ("labels", "probabilities", "classes")
READY = "ready"
PROTOCOLS: dict[str, Any] = {"http": tritonclient.http, "grpc": tritonclient.grpc}
STYLES = ("sync", "aio")


@dataclass(frozen=True)
class Door:
    """A way to ask: which client, whether tensors go and come as binary data, how the request is compressed.

    With ``binary_outputs`` None no output is named: the client gets all of them, as binary data. Over gRPC all data is.
    """

    protocol: str
    style: str
    binary_input: bool = True
    binary_outputs: bool | None = True
    compression: str | None = None

    def __str__(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in asdict(self).items())

    def inputs(self, question: dict[str, Any]) -> list[Any]:
        """Return a question's tensor: files as they are, or arrays of shape [1, …] one behind the other."""
        files = [Path(file) for file in question["files"]]
        if question["input"] == "image":
            images = [file.read_bytes() for file in files]
            values: list[object] = list(images if self.binary_input else map(_to_base64, images))
            tensor, datatype = np.array(values, np.object_), "BYTES"
        else:
            tensor = np.concatenate([np.load(file) for file in files])
            datatype = {"uint8": "UINT8", "float32": "FP32"}[str(tensor.dtype)]
        given = self._module.InferInput(question["input"], list(tensor.shape), datatype)
        return [given.set_data_from_numpy(tensor, **self._as_binary(self.binary_input))]

    def arguments(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return what the client's ``infer`` takes beside the model's name."""
        outputs = None
        if self.binary_outputs is not None:
            flag = self._as_binary(self.binary_outputs)
            outputs = [self._module.InferRequestedOutput(name, **flag) for name in OUTPUTS]
        compression = "compression_algorithm" if self.protocol == "grpc" else "request_compression_algorithm"
        return {
            "inputs": self.inputs(question),
            "outputs": outputs,
            "request_id": question["name"],
            compression: self.compression,
        }

    @property
    def _module(self) -> Any:
        return PROTOCOLS[self.protocol]

    def _as_binary(self, binary: bool) -> dict[str, bool]:
        return {"binary_data": binary} if self.protocol == "http" else {}


HTTP = (
    (True, True, None),
    (False, False, None),
    (True, False, None),
    (False, True, None),
    (True, None, None),
    (True, True, "gzip"),
    (False, False, "gzip"),
    (True, True, "deflate"),
)
GRPC = ((True, True, None), (True, None, None), (True, True, "gzip"), (True, True, "deflate"))
DOORS = [
    Door(protocol, style, *ways)
    for style in STYLES
    for protocol, all_ways in (("http", HTTP), ("grpc", GRPC))
    for ways in all_ways
]


def main() -> None:
    """Read the job, do it, print its outcome as JSON."""
    job = json.loads(sys.argv[1])
    _write(READY)
    sys.stdin.readline()
    _write(json.dumps(_ask(**job)))


Share = list[tuple[Door, dict[str, Any]]]


def _ask(addresses: dict[str, str], model: str, questions: list[dict[str, Any]], callers: int) -> list[dict[str, Any]]:
    pairs = [(door, question) for question in questions for door in DOORS]
    if callers == 1:
        return [
            answer
            for protocol, address in addresses.items()
            for answers in (
                _ask_sync(protocol, address, model, pairs),
                asyncio.run(_ask_aio(protocol, address, model, pairs)),
            )
            for answer in answers
        ]
    shares: list[Share] = [[] for _ in range(callers)]
    for index, pair in enumerate(pairs):
        shares[(index + index // len(DOORS)) % callers].append(pair)  # nobody always asks at the same door

    async def ask_in_threads_and_tasks() -> list[list[dict[str, Any]]]:
        jobs = [(protocol, address, model, share) for protocol, address in addresses.items() for share in shares]
        with ThreadPoolExecutor(len(jobs)) as threads:
            loop = asyncio.get_running_loop()
            sync = [loop.run_in_executor(threads, _ask_sync, *job) for job in jobs]
            return await asyncio.gather(*sync, *(_ask_aio(*job) for job in jobs))

    return [answer for answers in asyncio.run(ask_in_threads_and_tasks()) for answer in answers]


def _ask_sync(protocol: str, address: str, model: str, share: Share) -> list[dict[str, Any]]:
    patience = {"network_timeout": 60} if protocol == "http" else {}
    with PROTOCOLS[protocol].InferenceServerClient(address, **patience) as client:
        return [
            _read(door, question, client.infer(model, **door.arguments(question)))
            for door, question in share
            if (door.protocol, door.style) == (protocol, "sync")
        ]


async def _ask_aio(protocol: str, address: str, model: str, share: Share) -> list[dict[str, Any]]:
    async with PROTOCOLS[protocol].aio.InferenceServerClient(address) as client:
        return [
            _read(door, question, await client.infer(model, **door.arguments(question)))
            for door, question in share
            if (door.protocol, door.style) == (protocol, "aio")
        ]


def _read(door: Door, question: dict[str, Any], result: Any) -> dict[str, Any]:
    labels, probabilities, classes = (result.as_numpy(name) for name in OUTPUTS)
    response = result.get_response()
    return {
        "door": str(door),
        "name": response["id"] if door.protocol == "http" else response.id,
        "labels": [[label.decode() if isinstance(label, bytes) else label for label in row] for row in labels],
        "probabilities": probabilities.tolist(),
        "classes": classes.tolist(),
    }


def _to_base64(image: bytes) -> str:
    return base64.b64encode(image).decode()


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
