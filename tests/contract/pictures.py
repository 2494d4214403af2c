"""Image files made to order: plain colours, odd kinds, damaged ones, and headers that lie."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from bundles import COLOURS
from numpy.typing import NDArray
from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode(pixels: NDArray[Any] | Image.Image, form: str, **options: Any) -> bytes:
    """Return an image file; lossless where the format can."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    defaults = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True, "exact": True}}.get(form, {})
    buffer = io.BytesIO()
    image.save(buffer, form, **{**defaults, **options})
    return buffer.getvalue()


def plain(colour: tuple[int, ...], form: str = "PNG", size: tuple[int, int] = (20, 20)) -> bytes:
    """Return an RGB image file of one colour; ``size`` is width and height."""
    return encode(Image.new("RGB", size, colour), form)


PICTURES = {label: plain(colour) for label, colour in COLOURS.items()}
"""A file of each colour that the colour bundle names."""

RED, GREEN, BLUE = PICTURES["red"], PICTURES["green"], PICTURES["blue"]
NOT_AN_IMAGE = b"this is no image at all"


def noise(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """Return pixels that no encoder can leave out."""
    return np.random.default_rng(20).integers(0, 256, (height, width, 3), dtype=np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG, with its right checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, depth: int, colour_type: int, rows: list[bytes], *chunks: bytes, interlaced: bool = False
) -> bytes:
    """Write a PNG by hand: rows of packed samples, unfiltered, and whatever chunks go before them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlaced))
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return PNG_SIGNATURE + header + b"".join(chunks) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def claim_png(width: int, height: int) -> bytes:
    """Return a PNG whose header says a size that its data does not hold."""
    return png(width, height, 8, 2, [b"\0\0\0"])


def claim_jpeg(width: int, height: int) -> bytes:
    """Return a JPEG whose frame header says a size that its data does not hold."""
    data = plain((255, 0, 0), "JPEG")
    position = data.index(b"\xff\xc0") + 5
    return data[:position] + struct.pack(">HH", height, width) + data[position + 4 :]


def claim_webp(width: int, height: int) -> bytes:
    """Return a lossless WebP, at most 16,384 each way, whose header says a size that its data does not hold."""
    data = plain((255, 0, 0), "WEBP")
    position = data.index(b"\x2f", data.index(b"VP8L") + 8) + 1
    (bits,) = struct.unpack_from("<I", data, position)
    bits = bits >> 28 << 28 | (height - 1) << 14 | (width - 1)
    return data[:position] + struct.pack("<I", bits) + data[position + 4 :]


def webp_on_canvas(width: int, height: int) -> bytes:
    """Return an animated WebP of one small frame on a canvas of any size up to 2**24 each way."""
    frame = plain((255, 0, 0), "WEBP", (16, 16))[12:]
    frame = _24_bits(0, 0, 15, 15, 100) + b"\0" + frame
    chunks = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + _24_bits(width - 1, height - 1)
    chunks += b"ANIM" + struct.pack("<IIH", 6, 0, 0) + b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _24_bits(*values: int) -> bytes:
    return b"".join(struct.pack("<I", value)[:3] for value in values)


CLAIMS: dict[str, tuple[Callable[[int, int], bytes], int]] = {
    "PNG": (claim_png, 50_000),
    "JPEG": (claim_jpeg, 50_000),
    "WEBP canvas": (webp_on_canvas, 50_000),
    "WEBP": (claim_webp, 16_383),  # all that its 14 bits hold
}
"""What writes a header of any size over little data, by the kind of file, and a side that it can hold."""


def without_segment(jpeg: bytes, marker: bytes) -> bytes:
    """Return a JPEG without its first segment of that marker."""
    begin = jpeg.index(marker)
    (length,) = struct.unpack_from(">H", jpeg, begin + 2)
    return jpeg[:begin] + jpeg[begin + 2 + length :]
