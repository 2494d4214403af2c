"""PNG files: what their headers tell, and the damage to them that Pillow passes over.

Sections are those of PNG (third edition).
"""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_BEGIN, _SIZE = SIGNATURE + b"\0\0\0\rIHDR", struct.Struct(">II")
_CHUNK, _CHUNK_BYTES = struct.Struct(">I4s"), 12
_PLAIN = frozenset(b"PLTE tRNS IDAT IEND gAMA cHRM sRGB sBIT pHYs bKGD tIME tEXt eXIf".split())
"""What follows a plain one's header: others may inflate to megabytes, and a second header may tell another size."""
_DEPTH, _INTERLACE = 24, 28
"""Where in the file the header has them (section 11.2.1)."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type (section 11.2.1)."""
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Where each pass of an interlaced image begins, and its steps (section 8.1)."""


def plain_pixels(data: bytes, most_chunks: int) -> int | None:
    """Return the width times the height of a file that takes no more work than its pixels, None of any other.

    Such a file has at most so many chunks, and none but its pixels inflates.
    """
    if not data.startswith(_BEGIN) or len(data) < len(_BEGIN) + _SIZE.size:
        return None
    kinds = [kind for kind, _, _ in _chunks(data)]
    if len(kinds) > most_chunks or not _PLAIN.issuperset(kinds[1:]):
        return None
    width, height = _SIZE.unpack_from(data, len(_BEGIN))
    return int(width * height)


def is_interlaced(data: bytes) -> bool:
    """Tell what the header says of it."""
    return bool(data[_INTERLACE])


def check_chunks(data: bytes) -> None:
    """Refuse a file of which decoding would pass over a wrong CRC, a second header or a missing end.

    Raises:
        ValueError: it has one of them.
    """
    kind, begin, end, view = b"", 0, 0, memoryview(data)
    for number, (kind, begin, end) in enumerate(_chunks(data)):
        if not kind.isalpha() or (kind == b"IHDR") != (number == 0):
            raise ValueError(f"chunk {number + 1} is called {kind!r}")
        if zlib.crc32(view[begin - len(kind) : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise ValueError(f"its {kind.decode()} chunk has a wrong CRC")
    if kind != b"IEND" or begin < end:
        raise ValueError("it does not end with an empty IEND chunk")


def check_rows(data: bytes, width: int, height: int) -> None:
    """Refuse a file whose data, sound as far as it goes, ends before its last row: Pillow leaves the rest black.

    Raises:
        ValueError: it does.
    """
    depth, colour_type = data[_DEPTH : _DEPTH + 2]
    bits = depth * _CHANNELS[colour_type]
    missing = 0
    for left, top, across, down in _ADAM7 if is_interlaced(data) else ((0, 0, 1, 1),):
        columns, rows = -((left - width) // across), -((top - height) // down)
        missing += rows * (1 + (columns * bits + 7) // 8) if columns else 0
    inflate = zlib.decompressobj()
    for kind, begin, end in _chunks(data):
        part = data[begin:end] if kind == b"IDAT" else b""
        while part and missing > 0 and not inflate.eof:
            missing -= len(inflate.decompress(part, 1 << 20))
            part = inflate.unconsumed_tail
        if missing <= 0 or inflate.eof:
            break
    if missing > 0:
        raise ValueError(f"{missing} bytes of its rows are missing")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk that has all of it: its kind, and where its data begins and ends."""
    position = len(SIGNATURE)
    while position + _CHUNK_BYTES <= len(data):
        length, kind = _CHUNK.unpack_from(data, position)
        begin = position + _CHUNK.size
        position += length + _CHUNK_BYTES
        if position <= len(data):
            yield kind, begin, begin + length
        if kind == b"IEND":
            return
