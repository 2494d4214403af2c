"""Triton's own clients as operators, a process of their own: see ``triton_caller.py``.

``triton_operator.py '{"http": …, "grpc": …, "model": …, "token": …}'`` unloads the model and loads it again with each
client, and prints what the index and the model's readiness said at every step.
"""

import asyncio
import inspect
import json
import sys
from typing import Any

import tritonclient.grpc as sync_grpc
import tritonclient.grpc.aio as aio_grpc
import tritonclient.http as sync_http
import tritonclient.http.aio as aio_http
from tritonclient.utils import InferenceServerException

CLIENTS = {
    "sync over http": (sync_http, "http"),
    "aio over http": (aio_http, "http"),
    "sync over grpc": (sync_grpc, "grpc"),
    "aio over grpc": (aio_grpc, "grpc"),
}


async def main() -> None:
    """Read the job, do it, print its outcome as JSON."""
    job = json.loads(sys.argv[1])
    outcome = {}
    for name, (module, protocol) in CLIENTS.items():
        client = module.InferenceServerClient(job[protocol])
        outcome[name] = await operate(client, job["model"], {"authorization": f"Bearer {job['token']}"})
        await result_of(client.close())
    sys.stdout.write(json.dumps(outcome) + "\n")


async def operate(client: Any, model: str, headers: dict[str, str]) -> dict[str, Any]:
    """Do with one client what an operator does."""
    steps = {"first": await look(client, model)}
    await result_of(client.unload_model(model, headers=headers))
    steps["unloaded"] = await look(client, model)
    await result_of(client.load_model(model, headers=headers))
    steps["loaded"] = await look(client, model)
    steps["without token"] = await failure_of(lambda: client.load_model(model))
    steps["with config"] = await failure_of(lambda: client.load_model(model, headers=headers, config="{}"))
    return steps


async def look(client: Any, model: str) -> list[Any]:
    """Return the index, and whether the model is ready."""
    index = await result_of(client.get_model_repository_index())
    if not isinstance(index, list):
        index = [{key: getattr(entry, key) for key in ("name", "version", "state", "reason")} for entry in index.models]
    try:
        return [index, await result_of(client.is_model_ready(model))]
    except InferenceServerException:  # over gRPC an unknown model is an error, and over HTTP it is not ready
        return [index, False]


async def result_of(value: Any) -> Any:
    """Return what a client's method gives, whether it is to be awaited or not."""
    return await value if inspect.isawaitable(value) else value


async def failure_of(call: Any) -> list[str]:
    """Return the status and the words that a call is refused with."""
    try:
        await result_of(call())
    except InferenceServerException as error:
        return [str(error.status()), error.message()]
    return ["", "nothing was refused"]


if __name__ == "__main__":
    asyncio.run(main())
