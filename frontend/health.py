"""How the models are."""

import asyncio
import time
from collections.abc import Mapping

import aiohttp
from yarl import URL

from frontend.document import read_document

HOLD_SECONDS = 1.0
"""How long an answer holds: many pages ask."""
ASK_SECONDS = 2.0
ASKED_AT_ONCE = 32


class Health:
    """Asks models how they are: ``ready``, ``loading`` (it answers that it is not ready) or ``down`` (it does not)."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._turns = asyncio.Semaphore(ASKED_AT_ONCE)
        self._asking = asyncio.Lock()
        self._asked = -HOLD_SECONDS
        self._models: Mapping[str, str] = {}
        self._states: dict[str, str] = {}

    async def states(self, models: Mapping[str, str]) -> dict[str, str]:
        """Return the state of each of the models, by id, given their addresses."""
        async with self._asking:
            if models != self._models or time.monotonic() - self._asked >= HOLD_SECONDS:
                found = await asyncio.gather(*(self._ask(name, url) for name, url in models.items()))
                self._models = dict(models)
                self._states = dict(zip(models, found, strict=True))
                self._asked = time.monotonic()
        return self._states

    async def _ask(self, name: str, url: str) -> str:
        address = URL(url) / "v2" / "models" / name / "ready"
        timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
        try:
            async with self._turns, self._session.get(address, timeout=timeout, allow_redirects=False) as answer:
                document = await read_document(answer)
                if not isinstance(document, dict):
                    return "down"
                if answer.status == 503 and "error" in document:
                    return "loading"
                return "ready" if answer.status == 200 and document.get("ready") is True else "down"
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return "down"
