"""JSON request bodies, before anyone looks at what is in them."""

from typing import Any

import orjson

from model_server.errors import InvalidInput, TooLarge

MAX_DEPTH = 100
MAX_CONTAINERS = 500_000
"""Lists, objects and fields together: each takes tens of times the memory of its JSON, and its time."""
MAX_VALUES = 4_000_000


def parse_document(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a request body.

    Raises:
        InvalidInput: not JSON, not an object, or nested deeper than ``MAX_DEPTH``.
        TooLarge: of more than ``MAX_CONTAINERS`` or ``MAX_VALUES``.
    """
    # what stands within strings is counted too: base64 has none of these characters
    brackets = body.count(b"[") + body.count(b"{")
    if brackets + body.count(b":") > MAX_CONTAINERS:
        raise _too_large(f"{MAX_CONTAINERS} lists, objects and fields")
    if body.count(b",") > MAX_VALUES:
        raise _too_large(f"{MAX_VALUES} values")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(
            f"the body is not valid JSON: {error}; images as they are go to /model/<id>/predict"
        ) from error
    if not isinstance(document, dict):
        raise InvalidInput(f"the body is a JSON {_kind(document)}; it must be an object")
    if brackets > MAX_DEPTH and _is_deep(document):
        raise InvalidInput(f"the body is nested deeper than {MAX_DEPTH} levels")
    return document


def _is_deep(document: Any) -> bool:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is list or type(child) is dict
        ]
        if not level:
            return False
    return True


def _kind(document: object) -> str:
    return {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(document), "number")


def _too_large(most: str) -> TooLarge:
    return TooLarge(
        f"the JSON has more than {most}; send fewer images, "
        "or tensors as binary data behind the JSON (parameters.binary_data_size)"
    )
