"""What Triton's own clients say of a server and its model: ``triton_describer.py '{"addresses": {…}, "model": …}'``.

A process of its own, as ``triton_caller`` is.
"""

import asyncio
import contextlib
import inspect
import json
import queue
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
import numpy as np
import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio
from tritonclient.utils import InferenceServerException


async def describe(client: Any, model: str, *, as_json: dict[str, bool]) -> dict[str, Any]:
    """Ask everything that has no tensors; ``as_json`` goes with what answers documents."""
    metadata = await settle(client.get_model_metadata(model, **as_json))
    version = metadata["versions"][0]
    return {
        "live": await settle(client.is_server_live()),
        "ready": await settle(client.is_server_ready()),
        "model_ready": await settle(client.is_model_ready(model)),
        "version_ready": await settle(client.is_model_ready(model, version)),
        "other_version_ready": await is_ready(client, model, "1"),
        "other_model_ready": await is_ready(client, "nobody"),
        "metadata": with_numbers(metadata),
        "version_metadata": with_numbers(await settle(client.get_model_metadata(model, version, **as_json))),
        "server": await settle(client.get_server_metadata(**as_json)),
    }


async def settle(answer: Any) -> Any:
    """Return an answer that may have to be awaited."""
    return await answer if inspect.isawaitable(answer) else answer


async def is_ready(client: Any, *names: str) -> bool:
    """Ask for what is not there: False over HTTP, NOT_FOUND over gRPC."""
    try:
        ready: bool = await settle(client.is_model_ready(*names))
    except InferenceServerException as error:
        if error.status() != "StatusCode.NOT_FOUND":
            raise
        return False
    return ready


def with_numbers(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return metadata with shapes of numbers; protobuf's JSON has 64-bit numbers as strings."""
    for tensor in (*metadata["inputs"], *metadata["outputs"]):
        tensor["shape"] = [int(size) for size in tensor["shape"]]
    return metadata


def an_image() -> Any:
    given = tritonclient.grpc.InferInput("image", [1], "BYTES")
    return given.set_data_from_numpy(np.array([b"image"], np.object_))


def try_stream(client: Any, model: str) -> str:
    """Return what becomes of a stream."""
    errors: queue.Queue[Any] = queue.Queue()

    def take(result: Any, error: Any) -> None:
        errors.put(error or result)

    client.start_stream(take)
    with contextlib.suppress(InferenceServerException):  # the refusal may be there already
        client.async_stream_infer(model, [an_image()])
    error = errors.get(timeout=60)
    client.stop_stream()
    return str(error)


async def try_stream_aio(client: Any, model: str) -> str:
    """Return what becomes of a stream."""

    async def requests() -> AsyncIterator[dict[str, Any]]:
        yield {"model_name": model, "inputs": [an_image()]}

    try:
        async for result, error in client.stream_infer(requests()):
            return str(error or result)
    except grpc.RpcError as error:
        return str(error)
    return "nothing"


async def main() -> None:
    """Read the job, do it, print its outcome as JSON."""
    job = json.loads(sys.argv[1])
    model, addresses = job["model"], job["addresses"]
    told: dict[str, dict[str, Any]] = {}
    with tritonclient.http.InferenceServerClient(addresses["http"]) as client:
        told["http sync"] = await describe(client, model, as_json={})
    async with tritonclient.http.aio.InferenceServerClient(addresses["http"]) as client:
        told["http aio"] = await describe(client, model, as_json={})
    with tritonclient.grpc.InferenceServerClient(addresses["grpc"]) as client:
        told["grpc sync"] = await describe(client, model, as_json={"as_json": True})
        streams = {"sync": try_stream(client, model)}
    async with tritonclient.grpc.aio.InferenceServerClient(addresses["grpc"]) as client:
        told["grpc aio"] = await describe(client, model, as_json={"as_json": True})
        streams["aio"] = await try_stream_aio(client, model)
    sys.stdout.write(json.dumps({"told": told, "streams": streams}) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
