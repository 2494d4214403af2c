"""PNG: what is plain, and damage that Pillow passes over, through the imaging that asks for both."""

import io
import struct
import zlib

import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from model_server import png
from model_server.errors import InvalidInput
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing

IMAGING = Imaging(Preprocessing(resize=8, crop=8, mean=[0.5] * 3, std=[0.5] * 3))
CHINA = Image.fromarray(load_sample_image("china.jpg"))


def encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def insert(png: bytes, *chunks: bytes) -> bytes:
    """Put chunks behind the header of a PNG."""
    return png[:33] + b"".join(chunks) + png[33:]


def test_a_file_is_plain_where_nothing_but_its_pixels_takes_work() -> None:
    data = encode(Image.new("L", (8, 9)))
    assert png.plain_pixels(data, 100) == 72
    assert png.plain_pixels(insert(data, chunk(b"gAMA", bytes(4))), 100) == 72
    larger = chunk(b"IHDR", struct.pack(">IIBBBBB", 5400, 5400, 1, 0, 0, 0, 0))
    assert png.plain_pixels(insert(data, larger), 100) is None
    assert png.plain_pixels(insert(data, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 20)))), 100) is None
    assert png.plain_pixels(insert(data, *[chunk(b"IDAT")] * 200), 100) is None
    assert png.plain_pixels(b"GIF89a" + data, 100) is None
    for length in range(24):
        assert png.plain_pixels(data[:length], 100) is None


def test_what_may_take_long_is_not_small_whatever_its_header_says() -> None:
    data = encode(Image.new("L", (8, 8)))
    assert IMAGING.is_small(insert(data, chunk(b"gAMA", bytes(4))))
    assert not IMAGING.is_small(insert(data, chunk(b"IHDR", struct.pack(">IIBBBBB", 5400, 5400, 1, 0, 0, 0, 0))))
    assert not IMAGING.is_small(insert(data, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 20)))))
    assert not IMAGING.is_small(insert(data, *[chunk(b"IDAT")] * 200))


@pytest.mark.parametrize(
    "broken",
    [
        lambda data: insert(data, chunk(b"IHDR", data[16:29])),
        lambda data: insert(data, chunk(b"a\nbc")),
        lambda data: data[:-12] + chunk(b"IEND", b"more"),
        lambda data: data[:-1] + b"?",
    ],
    ids=["two headers", "a chunk of no name", "an end that is not empty", "a wrong CRC"],
)
def test_a_png_of_odd_chunks_is_refused(broken) -> None:
    data = encode(Image.new("L", (8, 8)))
    IMAGING.decode(insert(data, chunk(b"tEXt", b"Comment\0well")))
    with pytest.raises(InvalidInput):
        IMAGING.decode(broken(data))


def test_a_palette_png_without_its_last_row_is_refused_whatever_its_first_colour() -> None:
    rows = b"".join(b"\0" + bytes([1] * 8) for _ in range(8))
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0))
    palette, end = chunk(b"PLTE", b"\xff\xff\xff\x10\x20\x30"), chunk(b"IEND")
    IMAGING.decode(head + palette + chunk(b"IDAT", zlib.compress(rows)) + end)
    with pytest.raises(InvalidInput, match="9 bytes of its rows are missing"):
        IMAGING.decode(head + palette + chunk(b"IDAT", zlib.compress(rows[:-9])) + end)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_with_a_bit_turned_or_without_its_end_is_refused(mode: str) -> None:
    photo = Image.new(mode, (4, 3), 700) if mode == "I;16" else CHINA.resize((4, 3)).convert(mode)
    data = encode(photo)
    IMAGING.decode(data)
    broken = [data[:length] for length in range(len(data))]
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        broken.append(bytes(changed))
    for each in broken:
        with pytest.raises(InvalidInput):
            IMAGING.decode(each)


def test_a_png_without_its_line_breaks_is_told_from_other_files() -> None:
    stripped = bytes(byte for byte in encode(CHINA) if byte not in b"\r\n\0")  # as `curl --data` sends it
    with pytest.raises(InvalidInput, match="--data-binary rather than --data"):
        IMAGING.decode(stripped)
