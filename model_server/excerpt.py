"""Values of others as an error message may show them."""

from collections.abc import Iterator

MAX_SHOWN = 60


def shorten(value: object) -> str:
    """Return a value's beginning; no more of it is looked at than is shown."""
    text = ""
    for piece in _write(value):
        text += piece
        if len(text) > MAX_SHOWN:
            return text[: MAX_SHOWN - 3] + "..."
    return text


def _write(value: object) -> Iterator[str]:
    """Yield what ``repr`` gives for what JSON and YAML give, piece by piece."""
    if isinstance(value, str):
        yield repr(value[:MAX_SHOWN])
    elif isinstance(value, list):
        yield "["
        for index, inner in enumerate(value):
            yield ", " if index else ""
            yield from _write(inner)
        yield "]"
    elif isinstance(value, dict):
        yield "{"
        for index, (key, inner) in enumerate(value.items()):
            yield ", " if index else ""
            yield from _write(key)
            yield ": "
            yield from _write(inner)
        yield "}"
    else:
        yield repr(value)
