"""Values of others as an error message may show them."""

from collections.abc import Iterator

MAX_SHOWN, MAX_REASON = 60, 300


def describe(field: str, value: object) -> str:
    """Return what a field holds, for an error: ``shape = [1, 1]``, or that it is missing, where it is None."""
    return f"{field} is missing or null" if value is None else f"{field} = {shorten(value)}"


def shorten(value: object) -> str:
    """Return a value's beginning; no more of it is looked at than is shown."""
    text = ""
    for piece in _write(value):
        text += piece
        if len(text) > MAX_SHOWN:
            return text[: MAX_SHOWN - 3] + "..."
    return text


def condense(error: Exception) -> str:
    """Return what a library says of what it was given, on one line, its beginning where it says a lot."""
    return " ".join(str(error).split())[:MAX_REASON]


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
