"""What a client may ask for beside the images: how many labels, and by when."""

from collections.abc import Mapping

from model_server.errors import InvalidInput
from model_server.excerpt import shorten

MAX_TIMEOUT_SECONDS = 3600
PARAMETERS = ("top_k", "timeout")
"""Those of a request that are looked at."""


def read_top_k(value: object, class_count: int) -> int:
    """Check ``top_k``, the number of labels for each image.

    Raises:
        InvalidInput: not a whole number from 1 to ``class_count``.
    """
    if type(value) is not int or not 1 <= value <= class_count:
        raise InvalidInput(f"top_k = {shorten(value)}; it must be a whole number from 1 to {class_count}")
    return value


def read_timeout_microseconds(value: object) -> float:
    """Turn V2's ``timeout`` parameter into seconds.

    It is in microseconds, as in Triton's schedule policy extension.

    Raises:
        InvalidInput: not a whole number above 0, or longer than an hour.
    """
    if type(value) is not int or not 0 < value <= MAX_TIMEOUT_SECONDS * 1_000_000:
        raise InvalidInput(
            f"timeout = {shorten(value)}; it must be a whole number of microseconds, "
            f"from 1 to {MAX_TIMEOUT_SECONDS}000000"
        )
    return value / 1_000_000


def read_parameters(parameters: Mapping[str, object], class_count: int) -> tuple[int | None, float | None]:
    """Return ``top_k`` and the timeout in seconds out of a request's parameters, None for what is not there.

    Others are passed over: the protocol lets a client send what a server does not know.
    """
    top_k, timeout = parameters.get("top_k"), parameters.get("timeout")
    return (
        None if top_k is None else read_top_k(top_k, class_count),
        None if timeout is None else read_timeout_microseconds(timeout),
    )


def read_query_string(query: Mapping[str, str], class_count: int) -> tuple[int | None, float | None]:
    """Return ``top_k`` and the timeout in seconds out of a URL's query, None for what is not there.

    Raises:
        InvalidInput: a value that is refused, or a key that is neither.
    """
    for key in query:
        if key not in ("top_k", "timeout_seconds"):
            raise InvalidInput(f"{shorten(key)} in the URL is not known; top_k and timeout_seconds are")
    top_k, timeout = query.get("top_k"), query.get("timeout_seconds")
    return (
        None if top_k is None else read_top_k(int(top_k) if _is_number(top_k) else top_k, class_count),
        None if timeout is None else _read_seconds(timeout),
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _read_seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= MAX_TIMEOUT_SECONDS:
        raise InvalidInput(
            f"timeout_seconds = {shorten(text)}; it must be a number above 0, at most {MAX_TIMEOUT_SECONDS}"
        )
    return value
