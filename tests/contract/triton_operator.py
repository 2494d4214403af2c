"""Triton's own HTTP clients as operators, a process of their own: see ``triton_caller.py``.

``triton_operator.py '{"url": …, "model": …, "token": …}'`` unloads the model and loads it again with each client, and
prints what the index and the model's readiness said at every step.
"""

import asyncio
import json
import sys
from typing import Any

import tritonclient.http as sync_client
import tritonclient.http.aio as aio_client
from tritonclient.utils import InferenceServerException


def main() -> None:
    """Read the job, do it, print its outcome as JSON."""
    job = json.loads(sys.argv[1])
    address = job["url"].removeprefix("http://")
    headers = {"Authorization": f"Bearer {job['token']}"}
    outcome = {
        "sync": _operate(address, job["model"], headers),
        "aio": asyncio.run(_operate_aio(address, job["model"], headers)),
    }
    sys.stdout.write(json.dumps(outcome) + "\n")


def _operate(address: str, model: str, headers: dict[str, str]) -> dict[str, Any]:
    with sync_client.InferenceServerClient(address, network_timeout=60) as client:
        steps = {"first": [client.get_model_repository_index(), client.is_model_ready(model)]}
        client.unload_model(model, headers=headers)
        steps["unloaded"] = [client.get_model_repository_index(), client.is_model_ready(model)]
        client.load_model(model, headers=headers)
        steps["loaded"] = [client.get_model_repository_index(), client.is_model_ready(model)]
        try:
            client.load_model(model)
        except InferenceServerException as error:
            steps["without token"] = [error.status(), error.message()]
        try:
            client.load_model(model, headers=headers, config="{}")
        except InferenceServerException as error:
            steps["with config"] = [error.status(), error.message()]
        return steps


async def _operate_aio(address: str, model: str, headers: dict[str, str]) -> dict[str, Any]:
    async with aio_client.InferenceServerClient(address) as client:
        steps = {"first": [await client.get_model_repository_index(), await client.is_model_ready(model)]}
        await client.unload_model(model, headers=headers)
        steps["unloaded"] = [await client.get_model_repository_index(), await client.is_model_ready(model)]
        await client.load_model(model, headers=headers)
        steps["loaded"] = [await client.get_model_repository_index(), await client.is_model_ready(model)]
        try:
            await client.load_model(model)
        except InferenceServerException as error:
            steps["without token"] = [error.status(), error.message()]
        try:
            await client.load_model(model, headers=headers, config="{}")
        except InferenceServerException as error:
            steps["with config"] = [error.status(), error.message()]
        return steps


if __name__ == "__main__":
    main()
