"""JSON that others answer, however it arrives."""

import json
from typing import Any

import aiohttp

MAX_BYTES = 1 << 20


async def read_document(answer: aiohttp.ClientResponse) -> Any:
    """Return what an answer's body says.

    Raises:
        ValueError: it is not JSON, or has more than ``MAX_BYTES``, or more levels than anybody needs.
    """
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
