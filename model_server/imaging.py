"""Encoded images → the pixels a network takes.

A JPEG is decoded by libjpeg-turbo in strict mode, because Pillow passes over most corruption (of single bit flips in a
scan it notices one in seventy, libjpeg's warnings one in four), and is scaled down inside the decoder: the inverse
DCT at a half, a quarter or an eighth costs a fraction of the full one. Pillow reads the rest, and every EXIF tag.
"""

import io
import math
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import simplejpeg
from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from model_server.errors import InvalidInput
from model_server.manifest import Preprocessing
from model_server.resizing import resize
from model_server.settings import MAX_IMAGE_PIXELS
from model_server.types import Float32Array, UInt8Array

OVERSAMPLING = 1.4
"""How much larger than the resized image a scaled decode stays, so that the resize still has detail to average."""

SMALL_PIXELS, SMALL_BYTES, SMALL_PARTS = 64 * 64, 4 << 10, 100
"""What a picture of a tenth of a millisecond's work has at most; parts are a PNG's chunks and a JPEG's markers."""

MAX_SCANS = 50
"""A progressive JPEG has ten; one of hundreds, a few kilobytes each, takes minutes to decode."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PLUGINS: dict[bytes, type[ImageFile.ImageFile]] = {
    b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile,
    _PNG_SIGNATURE: PngImagePlugin.PngImageFile,
    b"RIFF": WebPImagePlugin.WebPImageFile,
}
_PNG_BEGIN, _PNG_SIZE = _PNG_SIGNATURE + b"\0\0\0\rIHDR", struct.Struct(">II")
_PNG_CHUNK, _PNG_CHUNK_BYTES = struct.Struct(">I4s"), 12
_PNG_PLAIN = frozenset(b"PLTE tRNS IDAT IEND gAMA cHRM sRGB sBIT pHYs bKGD tIME tEXt eXIf".split())
"""What may follow a small one's header: others may inflate to megabytes, and a second header may tell another size."""
_PNG_DEPTH, _PNG_INTERLACE = 24, 28
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""PNG (third edition), section 8.1: where each pass of an interlaced image begins, and its steps."""
_ORIENTATION_TAG = 0x0112
_MIRRORED_ACROSS, _MIRRORED_DOWN, _SWAPPED = (2, 3, 6, 7), (3, 4, 7, 8), (5, 6, 7, 8)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF 2.32, section 4.6.4, Orientation: what turns the stored image upright."""

Image.MAX_IMAGE_PIXELS = None  # the limit is Imaging's own, a refusal rather than a warning


class Imaging:
    """One model's preprocessing.

    Args:
        preprocessing: the bundle's.
        max_pixels: the width times the height above which an image is refused before it is decoded.
        tell_pixels: called with the width times the height of each image, as it came.
    """

    def __init__(
        self,
        preprocessing: Preprocessing,
        max_pixels: int = MAX_IMAGE_PIXELS,
        tell_pixels: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.size = preprocessing.crop
        self.max_pixels = max_pixels
        self._tell_pixels = tell_pixels
        self._resize = preprocessing.resize
        self._interpolation = preprocessing.interpolation
        mean, std = np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)
        self._scale = (1 / (255 * std)).reshape(3, 1, 1).astype(np.float32)
        self._shift = (-mean / std).reshape(3, 1, 1).astype(np.float32)

    def is_small(self, image: bytes | UInt8Array) -> bool:
        """Tell whether an image is ready sooner than another thread has woken: a few thousand pixels."""
        if not isinstance(image, bytes):
            return bool(image.shape[0] * image.shape[1] <= SMALL_PIXELS)
        if len(image) > SMALL_BYTES:
            return False
        try:
            if image.startswith(_PNG_BEGIN):
                width, height = _PNG_SIZE.unpack_from(image, len(_PNG_BEGIN))
                kinds = [kind for kind, _, _ in _chunks(image)]
                plain = len(kinds) <= SMALL_PARTS and _PNG_PLAIN.issuperset(kinds[1:])
            else:
                height, width, _, _ = simplejpeg.decode_jpeg_header(image)
                plain = image.count(b"\xff") <= SMALL_PARTS
        except (struct.error, ValueError):  # whatever it is, to look closer may take time
            return False
        return bool(plain and width * height <= SMALL_PIXELS)

    def decode(self, data: bytes) -> UInt8Array:
        """Return the upright, resized and cropped image: UINT8 ``[S, S, 3]``, RGB.

        Greyscale is repeated over the channels, a palette is looked up, alpha is dropped without blending (as
        torchvision's own loader does), CMYK is converted without a colour profile, 16 bits keep the upper 8, and of
        an animation the first frame counts. EXIF that can't be read says nothing of the orientation.

        Raises:
            InvalidInput: not a JPEG, PNG or WebP, corrupt, truncated, or over ``max_pixels``.
        """
        image = _open(data)
        self._hold_to_limit(*image.size)
        self._tell_pixels(image.width * image.height)
        try:
            orientation = _read_orientation(image)
            if image.format == "JPEG":
                return self._fit(*self._decode_jpeg(data, image), orientation)
            return self._fit(_decode_other(image, data), image.size, orientation)
        except InvalidInput:
            raise
        except Exception as error:  # decoders raise whatever a hostile file drives them to
            reason = str(error) or type(error).__name__
            raise InvalidInput(f"the {image.format} image is corrupt or truncated: {reason}") from error

    def fit(self, pixels: UInt8Array) -> UInt8Array:
        """Resize and crop decoded pixels, UINT8 ``[H, W, 3]``, to UINT8 ``[S, S, 3]``."""
        height, width, _ = pixels.shape
        self._tell_pixels(width * height)
        if height == width == self.size == self._resize:
            return pixels
        return self._fit(pixels, (width, height))

    def normalise(self, rows: UInt8Array) -> Float32Array:
        """Turn UINT8 ``[N, S, S, 3]`` into FP32 ``[N, 3, S, S]``: ``(x / 255 - mean) / std`` for each channel."""
        planes = np.ascontiguousarray(rows.transpose(0, 3, 1, 2), dtype=np.float32)
        planes *= self._scale
        planes += self._shift
        return planes

    def _hold_to_limit(self, width: int, height: int) -> None:
        if width * height > self.max_pixels:
            raise InvalidInput(
                f"the image has {width} x {height} = {width * height} pixels; at most {self.max_pixels} are decoded: "
                "scale it down"
            )

    def _decode_jpeg(self, data: bytes, image: Image.Image) -> tuple[UInt8Array, tuple[float, float]]:
        """Return UINT8 ``[H, W, 3]`` and the size before rounding: a scaled decode's last row may be a part of one."""
        scans = data.count(b"\xff\xda")  # within a scan, 255 is always followed by 0 or a restart marker
        if scans > MAX_SCANS:
            raise InvalidInput(
                f"the JPEG image has {scans} scans, and each would be decoded; at most {MAX_SCANS} are: save it anew"
            )
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(data)
        self._hold_to_limit(width, height)  # a file with two headers may have told Pillow another size
        least = OVERSAMPLING * self._resize / min(width, height)
        scale = next(scale for scale in (1 / 8, 1 / 4, 1 / 2, 1) if scale >= min(least, 1))
        limits = {"min_height": math.ceil(height * scale), "min_width": math.ceil(width * scale)}
        if colorspace in ("CMYK", "YCCK"):
            inks = simplejpeg.decode_jpeg(data, "CMYK", **limits)
            if "adobe" in image.info:  # Adobe's files store the inks inverted
                inks = 255 - inks
            decoded = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB"))
        else:
            decoded = simplejpeg.decode_jpeg(data, "RGB", **limits)
        return decoded, (width * scale, height * scale)

    def _fit(self, pixels: UInt8Array, size: tuple[float, float], orientation: int = 1) -> UInt8Array:
        """Resize and crop in one step, so that only the pixels under the crop are computed, then turn upright."""
        width, height = size if orientation not in _SWAPPED else size[::-1]
        left, right, top, bottom = *self._span(width, height), *self._span(height, width)
        if orientation in _MIRRORED_ACROSS:
            left, right = width - right, width - left
        if orientation in _MIRRORED_DOWN:
            top, bottom = height - bottom, height - top
        box = (top, left, bottom, right) if orientation in _SWAPPED else (left, top, right, bottom)
        fitted = resize(pixels, box, self.size, self._interpolation)
        if orientation in _UPRIGHT:
            fitted = np.asarray(Image.fromarray(fitted).transpose(_UPRIGHT[orientation]))
        return fitted

    def _span(self, length: float, other: float) -> tuple[float, float]:
        """Return where the crop begins and ends along a side of the given length.

        As torchvision has it: Resize truncates the longer side, CenterCrop rounds its offset half to even.
        """
        resized = self._resize if length <= other else int(self._resize * length / other)
        offset = round((resized - self.size) / 2)
        begin, end = (position * length / resized for position in (offset, offset + self.size))
        return begin, min(end, length)


def _open(data: bytes) -> ImageFile.ImageFile:
    """Read the header alone, with the plugin that the first bytes call for: Pillow itself would try forty."""
    if not data:
        raise InvalidInput("the image is empty: 0 bytes; send a JPEG, PNG or WebP file")
    for begins, plugin in _PLUGINS.items():
        if data.startswith(begins) and (begins != b"RIFF" or data[8:12] == b"WEBP"):
            try:
                return plugin(io.BytesIO(data))
            except Exception as error:
                raise InvalidInput(f"the {plugin.format} image is corrupt or truncated: {error}") from error
    raise InvalidInput(f"not an image that is read here (it begins with {data[:8]!r}); send a JPEG, PNG or WebP file")


def _read_orientation(image: ImageFile.ImageFile) -> int:
    try:
        orientation: int = image.getexif().get(_ORIENTATION_TAG, 1)
    except (SyntaxError, struct.error):  # not EXIF at all: of a JPEG, Pillow passes over it
        return 1
    return orientation


def _decode_other(image: ImageFile.ImageFile, data: bytes) -> UInt8Array:
    """Return UINT8 ``[H, W, 3]``."""
    is_png = image.format == "PNG"
    if is_png:
        _check_chunks(data)
        if image.mode == "P" and image.palette is None:
            raise ValueError("it has no palette")
    image.load()
    stored: Image.Image = image
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion would clip at 255
        stored = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    pixels = np.asarray(stored.convert("RGB"))
    if is_png and (data[_PNG_INTERLACE] or not (np.asarray(stored) if stored.mode == "P" else pixels)[-1].any()):
        _check_rows(data, *image.size)
    return pixels


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk of a PNG that has all of it: its kind, and where its data begins and ends."""
    position = len(_PNG_SIGNATURE)
    while position + _PNG_CHUNK_BYTES <= len(data):
        length, kind = _PNG_CHUNK.unpack_from(data, position)
        begin = position + _PNG_CHUNK.size
        position += length + _PNG_CHUNK_BYTES
        if position <= len(data):
            yield kind, begin, begin + length
        if kind == b"IEND":
            return


def _check_chunks(data: bytes) -> None:
    """Refuse a PNG of which decoding would pass over a wrong CRC, a second header or a missing end."""
    kind, begin, end, view = b"", 0, 0, memoryview(data)
    for number, (kind, begin, end) in enumerate(_chunks(data)):
        if not kind.isalpha() or (kind == b"IHDR") != (number == 0):
            raise ValueError(f"chunk {number + 1} is called {kind!r}")
        if zlib.crc32(view[begin - len(kind) : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise ValueError(f"its {kind.decode()} chunk has a wrong CRC")
    if kind != b"IEND" or begin < end:
        raise ValueError("it does not end with an empty IEND chunk")


def _check_rows(data: bytes, width: int, height: int) -> None:
    """Refuse a PNG whose data, sound as far as it goes, ends before its last row: Pillow leaves the rest black."""
    depth, colour_type = data[_PNG_DEPTH : _PNG_DEPTH + 2]
    bits = depth * _PNG_CHANNELS[colour_type]
    missing = 0
    for left, top, across, down in _ADAM7 if data[_PNG_INTERLACE] else ((0, 0, 1, 1),):
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
