"""Base64, the only way that bytes travel in JSON."""

import binascii

from model_server.errors import InvalidInput
from model_server.excerpt import shorten


def decode_base64(text: str, field: str) -> bytes:
    """Decode standard base64 (RFC 4648, section 4), padded, without line breaks.

    Raises:
        InvalidInput: anything else; the message names ``field``.
    """
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise InvalidInput(_describe(field, text, str(error))) from error
    if len(text) != (len(data) + 2) // 3 * 4:  # Python's strict mode lets "AAAA==" pass
        raise InvalidInput(_describe(field, text, "Excess padding"))
    return data


def _describe(field: str, text: str, problem: str) -> str:
    return f"{field} = {shorten(text)} is not base64 ({problem}); encode the image file, padded"
