"""Which models there are, and where each is reached."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from frontend.document import read_document
from frontend.errors import Refusal, StartError
from frontend.settings import parse_url

logger = logging.getLogger(__name__)

ENTRY = '{"id": …, "url": …}'
SHAPE = f'{{"models": [{ENTRY}, …]}}'

LIST_SECONDS = 2.0
"""How long a gateway's list holds, and how long is waited for it."""


class Catalogue(Protocol):
    """The models, by id, each with the address that its ``/model/<id>`` is below."""

    async def models(self) -> Mapping[str, str]:
        """Return them as they are now, in order.

        Raises:
            Refusal: they can't be known now.
        """

    async def close(self) -> None:
        """Ask nobody any more."""


class CatalogueFile:
    """A file such as the chart writes: ``{"models": [{"id": …, "url": …}, …]}``; a gateway stands for every url."""

    def __init__(self, path: Path, gateway: str | None = None) -> None:
        """Read the file.

        Raises:
            StartError: it can't be read, or is not a catalogue.
        """
        self._path = path
        self._gateway = gateway
        self._version = self._look()
        try:
            self._models = self._read()
        except (OSError, ValueError) as error:
            raise StartError(f"--catalogue {path}: {_reason(error)}") from error

    async def models(self) -> Mapping[str, str]:
        """Return what the file says; where it has become unreadable, what it said last."""
        if (version := self._look()) != self._version:
            self._version = version
            try:
                self._models = self._read()
                logger.info("%s has changed: %s", self._path, ", ".join(self._models) or "no models")
            except (OSError, ValueError) as error:
                logger.warning("%s: %s; its last models stay", self._path, _reason(error))
        return self._models

    async def close(self) -> None:
        """Nobody is asked."""

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()  # of what the links lead to that a mounted ConfigMap is made of
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> dict[str, str]:
        try:
            document = json.loads(self._path.read_bytes())
        except ValueError as error:
            raise ValueError(f"it is not JSON ({error}); it must be {SHAPE}") from error
        models = parse_catalogue(document)
        return dict.fromkeys(models, self._gateway) if self._gateway else models


class GatewayCatalogue:
    """What a server or a gateway lists at ``/v2/models``; all of it is reached there."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session
        self._models: dict[str, str] | None = None
        self._asked = -LIST_SECONDS
        self._asking: asyncio.Task[None] | None = None

    async def models(self) -> Mapping[str, str]:
        """Return what it lists; where it does not answer, what it listed last.

        Raises:
            Refusal: it has never answered.
        """
        if time.monotonic() - self._asked >= LIST_SECONDS and (self._asking is None or self._asking.done()):
            self._asked = time.monotonic()
            self._asking = asyncio.create_task(self._renew())
        if self._models is None and self._asking is not None:  # else nobody waits for a list that may have changed
            await asyncio.shield(self._asking)
        if self._models is None:
            raise Refusal(503, "no model is known yet: what lists them does not answer; ask again in a moment")
        return self._models

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait((self._asking,))

    async def _renew(self) -> None:
        try:
            self._models = await self._ask()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            logger.warning("%s/v2/models: %s", self._url, _reason(error))

    async def _ask(self) -> dict[str, str]:
        timeout = aiohttp.ClientTimeout(total=LIST_SECONDS)
        async with self._session.get(f"{self._url}/v2/models", timeout=timeout, allow_redirects=False) as answer:
            if answer.status != 200:
                raise ValueError(f"it answered {answer.status}")
            return dict.fromkeys(parse_list(await read_document(answer)), self._url)


def parse_catalogue(document: Any) -> dict[str, str]:
    """Return the addresses of a catalogue's models by id.

    Raises:
        ValueError: it is none; the message names the field.
    """
    models: dict[str, str] = {}
    for number, model in enumerate(_entries(document)):
        field = f"models[{number}]"
        if not isinstance(model, dict) or not {"id", "url"} <= set(model):
            raise ValueError(f"{field}: {model!r} is not {ENTRY}")
        name = parse_id(model["id"], f"{field}.id")
        if name in models:
            raise ValueError(f"{field}.id: {name!r} is there twice")
        try:
            models[name] = parse_url(str(model["url"]))
        except ValueError as error:
            raise ValueError(f"{field}.url: {error}") from error
    return models


def parse_list(document: Any) -> list[str]:
    """Return the ids of ``{"models": [id, …]}``.

    Raises:
        ValueError: it is something else.
    """
    return [parse_id(name, f"models[{number}]") for number, name in enumerate(_entries(document))]


def parse_id(value: Any, field: str) -> str:
    """Return a model's id, an element of a path.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str) or not value or not set(value).isdisjoint("/:?#%\\") or value.strip(".") == "":
        raise ValueError(f"{field}: {value!r} is not a model's name")
    return value


def _entries(document: Any) -> list[Any]:
    match document:
        case {"models": list(entries)}:
            return entries
    raise ValueError('it is not {"models": […]}')


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
