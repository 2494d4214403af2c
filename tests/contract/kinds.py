"""Every kind of pixel, orientation and animation, with what each is to become, worked out by hand."""

import numpy as np
import simplejpeg
from bundles import GAIN
from numpy.typing import NDArray
from pictures import chunk, encode, png, without_segment
from PIL import Image

SIDE = 16
"""As the network takes it: nothing is resized, so every mean is exact."""
EXACT, NEARLY = 1e-4, GAIN * 3 / 255


def half(one: object, other: object) -> NDArray[np.uint8]:
    """Return pixels whose left half is one value and whose right half is another."""
    return np.array([[one] * (SIDE // 2) + [other] * (SIDE // 2)] * SIDE, np.uint8)


def mean_of(one: tuple[int, int, int], other: tuple[int, int, int]) -> list[float]:
    return [GAIN / 255 * (a + b) / 2 for a, b in zip(one, other, strict=True)]


def grey(one: int, other: int) -> list[float]:
    return mean_of((one,) * 3, (other,) * 3)


def packed(depth: int, one: list[int], other: list[int]) -> list[bytes]:
    """Return a hand-made PNG's rows of pixels of ``one`` and then of ``other``, most significant bit first."""
    samples = one * (SIDE // 2) + other * (SIDE // 2)
    bits = "".join(f"{sample:0{depth}b}" for sample in samples)
    return [int(bits, 2).to_bytes(len(bits) // 8, "big")] * SIDE


def square_png(depth: int, colour_type: int, one: list[int], other: list[int], *chunks: bytes) -> bytes:
    return png(SIDE, SIDE, depth, colour_type, packed(depth, one, other), *chunks)


def inked(one: tuple[int, ...], other: tuple[int, ...]) -> list[float]:
    """Return what two colours of inks, 0 to 255 of cyan, magenta, yellow and black, leave of white light."""
    (r, g, b), (s, t, u) = ([(255 - ink) * (255 - colour[3]) / 255 for ink in colour[:3]] for colour in (one, other))
    return [GAIN / 255 * (x + y) / 2 for x, y in ((r, s), (g, t), (b, u))]


PALETTE = chunk(b"PLTE", bytes([250, 10, 20, 5, 240, 30, 40, 50, 230]))
INKS = ((200, 30, 10, 0), (20, 60, 180, 100))
ADOBE_CMYK = encode(Image.fromarray(half(*INKS), "CMYK"), "JPEG")  # Pillow inverts the inks and says so, as Adobe does
PLAIN_CMYK = without_segment(encode(Image.fromarray(255 - half(*INKS), "CMYK"), "JPEG"), b"\xff\xee")
YCCK = simplejpeg.encode_jpeg(255 - half(*INKS), 95, "CMYK", "444")

GREYS = {
    "PNG 8-bit grey": (square_png(8, 0, [200], [40]), grey(200, 40)),
    "PNG 4-bit grey": (square_png(4, 0, [15], [3]), grey(255, 51)),
    "PNG 2-bit grey": (square_png(2, 0, [2], [1]), grey(170, 85)),
    "PNG 1-bit grey": (square_png(1, 0, [1], [0]), grey(255, 0)),
    "PNG 16-bit grey": (square_png(16, 0, [40_000], [0x12FF]), grey(156, 0x12)),
    "PNG 16-bit grey, low values": (square_png(16, 0, [300], [255]), grey(1, 0)),
    "PNG 16-bit grey, top value": (square_png(16, 0, [65_535], [65_280]), grey(255, 255)),
    "PNG grey and alpha": (square_png(8, 4, [200, 0], [40, 128]), grey(200, 40)),
    "PNG 16-bit grey and alpha": (square_png(16, 4, [51_300, 0], [10_300, 9]), grey(200, 40)),
    "PNG grey with a transparent value": (square_png(8, 0, [200], [40], chunk(b"tRNS", b"\0\xc8")), grey(200, 40)),
}
COLOURED = {
    "PNG RGB": (square_png(8, 2, [255, 128, 3], [1, 2, 250]), mean_of((255, 128, 3), (1, 2, 250))),
    "PNG 16-bit RGB": (square_png(16, 2, [65_535, 40_000, 0], [256, 1, 9]), mean_of((255, 156, 0), (1, 0, 0))),
    "PNG RGBA": (square_png(8, 6, [255, 128, 3, 0], [1, 2, 250, 77]), mean_of((255, 128, 3), (1, 2, 250))),
    "PNG 16-bit RGBA": (square_png(16, 6, [65_535, 512, 0, 0], [256, 1, 9, 9]), mean_of((255, 2, 0), (1, 0, 0))),
    "PNG RGB with a transparent colour": (
        square_png(8, 2, [255, 128, 3], [1, 2, 250], chunk(b"tRNS", b"\0\xff\0\x80\0\3")),
        mean_of((255, 128, 3), (1, 2, 250)),
    ),
    "PNG palette": (square_png(8, 3, [0], [2], PALETTE), mean_of((250, 10, 20), (40, 50, 230))),
    "PNG 2-bit palette": (square_png(2, 3, [1], [2], PALETTE), mean_of((5, 240, 30), (40, 50, 230))),
    "PNG palette with a transparent colour": (
        square_png(8, 3, [0], [2], PALETTE, chunk(b"tRNS", b"\0")),
        mean_of((250, 10, 20), (40, 50, 230)),
    ),
    "PNG palette with alpha for each colour": (
        square_png(4, 3, [0], [1], PALETTE, chunk(b"tRNS", b"\x80\x01\xff")),
        mean_of((250, 10, 20), (5, 240, 30)),
    ),
    "WEBP RGBA": (
        encode(half((255, 128, 3, 0), (1, 2, 250, 77)), "WEBP"),
        mean_of((255, 128, 3), (1, 2, 250)),
    ),
    "WEBP RGB": (encode(half((255, 128, 3), (1, 2, 250)), "WEBP"), mean_of((255, 128, 3), (1, 2, 250))),
}
JPEGS = {
    "JPEG RGB": (encode(half((255, 128, 3), (1, 2, 250)), "JPEG"), mean_of((255, 128, 3), (1, 2, 250))),
    "JPEG grey": (encode(half(200, 40), "JPEG"), grey(200, 40)),
    "JPEG Adobe's inverted CMYK": (ADOBE_CMYK, inked(*INKS)),
    "JPEG CMYK": (PLAIN_CMYK, inked(*INKS)),
    "JPEG YCCK": (YCCK, inked(*INKS)),
}


PICTURE = np.array([[250, 160], [80, 10]], np.uint8)
"""The brightness of an upright picture's quarters, all different."""
WIDTH, HEIGHT = 24, 16
STORED = {  # EXIF 2.32, 4.6.4: where the stored image's row 0 and column 0 are in the upright one
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],  # top, right
    3: lambda upright: upright[::-1, ::-1],  # bottom, right
    4: lambda upright: upright[::-1],  # bottom, left
    5: lambda upright: upright.transpose(1, 0, 2),  # left, top
    6: lambda upright: upright.transpose(1, 0, 2)[::-1],  # right, top
    7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],  # right, bottom
    8: lambda upright: upright.transpose(1, 0, 2)[:, ::-1],  # left, bottom
}


def with_orientation(pixels: NDArray[np.uint8], form: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(np.ascontiguousarray(pixels), form, exif=exif)


def upright() -> NDArray[np.uint8]:
    grey_picture = np.kron(PICTURE, np.ones((HEIGHT // 2, WIDTH // 2), np.uint8))
    return np.repeat(grey_picture[:, :, None], 3, axis=2)


def animation(form: str, *colours: str) -> bytes:
    """Return a frame of each colour."""
    first, *others = (Image.new("RGB", (SIDE, SIDE), colour) for colour in colours)
    return encode(first, form, save_all=True, append_images=others, duration=100)
