"""Triton's model repository extension: index, load and unload.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
"""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from model_server.codec.document import parse_document
from model_server.errors import InvalidInput
from model_server.excerpt import shorten
from model_server.types import ModelState


def decode_index(body: bytes) -> bool:
    """Return whether only models that are ready are asked for.

    Raises:
        InvalidInput: the body is neither empty nor ``{"ready": true}`` or false.
    """
    document = _parse(body, "an index request", ("ready",))
    ready = document.get("ready", False)
    if not isinstance(ready, bool):
        raise InvalidInput(f"ready = {shorten(ready)}; it must be true or false")
    return ready


def decode_load(body: bytes) -> None:
    """Hold a load request against what is taken.

    Raises:
        InvalidInput: it has parameters; files and configuration come from the bundle alone.
    """
    for name in _parameters(body, "a load request"):
        raise InvalidInput(f"parameter {shorten(name)} is not taken; a model is loaded as its bundle on disk says")


def decode_unload(body: bytes) -> None:
    """Hold an unload request against what is taken.

    Raises:
        InvalidInput: it has a parameter other than ``unload_dependents``, which changes nothing: no model has any.
    """
    for name, value in _parameters(body, "an unload request").items():
        if name != "unload_dependents":
            raise InvalidInput(f"parameter {shorten(name)} is not taken; unload_dependents is")
        if not isinstance(value, bool):
            raise InvalidInput(f"unload_dependents = {shorten(value)}; it must be true or false")


def encode_index(states: Collection[ModelState]) -> list[dict[str, str]]:
    """Return the index as JSON values."""
    return [asdict(state) for state in states]


def _parameters(body: bytes, what: str) -> dict[str, Any]:
    parameters = _parse(body, what, ("parameters",)).get("parameters", {})
    if not isinstance(parameters, dict):
        raise InvalidInput(f"parameters = {shorten(parameters)}; it must be an object")
    return parameters


def _parse(body: bytes, what: str, fields: tuple[str, ...]) -> dict[str, Any]:
    document = parse_document(body) if body else {}
    for key in document:
        if key not in fields:
            raise InvalidInput(f"{shorten(key)} is not a field of {what}; {', '.join(fields)} is")
    return document
