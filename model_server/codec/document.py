"""JSON request bodies, before anyone looks at what is in them."""

from typing import Any

import orjson

from model_server.errors import InvalidInput

MAX_DEPTH = 100


def parse_document(body: bytes | memoryview) -> dict[str, Any]:
    """Return the JSON object in a request body.

    Raises:
        InvalidInput: not JSON, not an object, or nested deeper than ``MAX_DEPTH``.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(
            f"the body is not valid JSON: {error}; images as they are go to /model/<id>/predict"
        ) from error
    if not isinstance(document, dict):
        raise InvalidInput(f"the body is a JSON {_kind(document)}; it must be an object")
    body = bytes(body)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deep(document):
        raise InvalidInput(f"the body is nested deeper than {MAX_DEPTH} levels")
    return document


def shorten(value: object) -> str:
    """Return a value as an error message may show it."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _is_deep(document: Any) -> bool:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _kind(document: object) -> str:
    return {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(document), "number")
