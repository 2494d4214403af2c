"""Files that are no whole image, or none at all, and the whole ones that they are made of."""

import io
import struct
import zipfile

import numpy as np
from doors import ask_v2_json
from numpy.typing import NDArray
from pictures import NOT_AN_IMAGE, PNG_SIGNATURE, RED, chunk, encode, noise, png
from PIL import Image

STILLS = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
"""The seven small images that an interlaced PNG holds one after the other: where each begins, and its steps."""


def interlaced_rows(pixels: NDArray[np.uint8]) -> list[bytes]:
    parts = [pixels[top::down, left::across] for left, top, across, down in ADAM7]
    return [row.tobytes() for part in parts for row in part if row.size]


WHOLE = {
    "PNG": encode(noise(), "PNG"),
    "PNG interlaced": png(64, 48, 8, 2, interlaced_rows(noise()), interlaced=True),
    "APNG": encode(STILLS[0], "PNG", save_all=True, append_images=STILLS[1:]),
    "JPEG": encode(noise(), "JPEG"),
    "JPEG progressive": encode(noise(), "JPEG", progressive=True),
    "JPEG grey": encode(noise()[:, :, 0], "JPEG"),
    "WEBP lossless": encode(noise(), "WEBP"),
    "WEBP lossy": encode(noise(), "WEBP", lossless=False),
    "WEBP animated": encode(STILLS[0], "WEBP", save_all=True, append_images=STILLS[1:]),
}


def first(form: str) -> str:
    return form.split()[0].replace("APNG", "PNG")


BEGINNINGS = {
    "png-signature": ("PNG", PNG_SIGNATURE),
    "png-signature-and-text": ("PNG", PNG_SIGNATURE + NOT_AN_IMAGE),
    "png-without-a-header": ("PNG", PNG_SIGNATURE + chunk(b"IEND", b"")),
    "png-0x0": ("PNG", png(0, 0, 8, 2, [])),
    "png-of-half-the-rows": ("PNG", png(4, 4, 8, 2, [bytes(12)] * 2)),
    "png-of-depth-3": ("PNG", png(4, 4, 3, 2, [bytes(12)] * 4)),
    "png-of-colour-type-5": ("PNG", png(4, 4, 8, 5, [bytes(12)] * 4)),
    "png-without-its-palette": ("PNG", png(4, 4, 8, 3, [bytes(4)] * 4)),
    "jpeg-marker": ("JPEG", b"\xff\xd8\xff"),
    "jpeg-of-nothing": ("JPEG", b"\xff\xd8\xff\xd9"),
    "jpeg-marker-and-text": ("JPEG", b"\xff\xd8\xff\xe0" + NOT_AN_IMAGE),
    "webp-of-nothing": ("WEBP", b"RIFF\x10\0\0\0WEBPVP8 \0\0\0\0"),
    "webp-header-and-text": ("WEBP", b"RIFF\xff\xff\xff\xffWEBPVP8L" + NOT_AN_IMAGE),
}
"""What begins like a file of a format, and has nothing right behind that."""


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("image.png", RED)
    return buffer.getvalue()


OTHERS = {
    "text": NOT_AN_IMAGE,
    "one byte": b"\xff",
    "HTML": b"<!doctype html><title>404</title>",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "JSON": ask_v2_json(RED).body,
    "PDF": b"%PDF-1.7\n",
    "zip": archive(),
    "WAV": b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + bytes(28),
    "a space first": b" " + RED,
    **{
        form: encode(Image.new("RGB", (16, 16)), form)
        for form in ("GIF", "BMP", "TIFF", "ICO", "PPM", "TGA", "JPEG2000")
    },
}
