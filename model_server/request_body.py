"""A request's body: within its limit, within its time, decompressed."""

import asyncio
import io
import zlib
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from starlette.requests import Request

from model_server.allocator import MAPPED_BYTES
from model_server.errors import InvalidInput, RequestTimeout, TooLarge, UnsupportedMediaType

LARGE_BYTES = 128 << 10
"""What is larger is decoded in a thread, so that the event loop goes on."""

P = ParamSpec("P")
T = TypeVar("T")


async def read_body(request: Request, *, max_bytes: int, timeout_seconds: float) -> bytes:
    """Return the whole body, decompressed.

    Raises:
        TooLarge: more than ``max_bytes``, before or after decompression; nothing beyond that is read.
        RequestTimeout: the client took longer than ``timeout_seconds``.
        UnsupportedMediaType: a Content-Encoding other than gzip, deflate and identity.
        InvalidInput: the body does not decompress.
        ClientDisconnect: the client went away.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "deflate"):
        raise UnsupportedMediaType(f"Content-Encoding: {encoding} is not read here; gzip, deflate and identity are")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise _too_large(max_bytes, f"{length} bytes")
    pieces: list[bytes] = []
    grown, size = io.BytesIO(), 0
    try:
        async with asyncio.timeout(timeout_seconds):
            async for part in request.stream():
                size += len(part)
                if size > max_bytes:
                    raise _too_large(max_bytes, "more")
                pieces.append(part)
                if size > MAPPED_BYTES:  # it grows, for joined it would be held twice
                    grown.writelines(pieces)
                    pieces = []
    except TimeoutError as error:
        raise RequestTimeout(
            f"the body did not arrive within {timeout_seconds:g} seconds ({size} bytes did); send it faster"
        ) from error
    body = grown.getvalue() if size > MAPPED_BYTES else b"".join(pieces)
    if encoding == "identity":
        return body
    # in a thread however small it is: 32 kB may stand for 32 MiB
    return await asyncio.to_thread(_decompress, body, encoding, max_bytes)


async def run_by_size(size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``function``, in a thread where the bytes that it works on are many."""
    if size <= LARGE_BYTES:
        return function(*args, **kwargs)
    return await asyncio.to_thread(function, *args, **kwargs)


def _decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    # "deflate" is zlib's format (RFC 9110, section 8.4.1.2); 32 makes zlib look whether it is gzip's
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = decompressor.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise InvalidInput(f"the body is not {encoding}, as its Content-Encoding says: {error}") from error
    if len(plain) > max_bytes:
        raise _too_large(max_bytes, "more, decompressed")
    if not decompressor.eof:
        raise InvalidInput(f"the {encoding} body is truncated; send all of it")
    if decompressor.unused_data:
        raise InvalidInput(
            f"{len(decompressor.unused_data)} bytes follow the {encoding} body; compress all of it as one stream"
        )
    return plain


def _too_large(max_bytes: int, found: str) -> TooLarge:
    return TooLarge(
        f"the body may have {max_bytes} bytes ({max_bytes / 2**20:.3g} MiB), this one has {found}; "
        "send fewer or smaller images"
    )
