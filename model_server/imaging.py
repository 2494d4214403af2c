"""Encoded images → the pixels a network takes.

A JPEG is decoded by libjpeg-turbo in strict mode, because Pillow passes over most corruption (of single bit flips in a
scan it notices one in seventy, libjpeg's warnings one in four), and is scaled down inside the decoder: the inverse
DCT at a half, a quarter or an eighth costs a fraction of the full one. Pillow reads the rest, and every EXIF tag.
"""

import io
import math
import struct
from collections.abc import Callable

import numpy as np
import simplejpeg
from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from model_server import png
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

_PLUGINS: dict[bytes, type[ImageFile.ImageFile]] = {
    b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile,
    png.SIGNATURE: PngImagePlugin.PngImageFile,
    b"RIFF": WebPImagePlugin.WebPImageFile,
}
_SCAN = 0xDAFF
"""A JPEG's marker of a scan, 255 and 218, as a number of two bytes, the lower one first."""
_BEGINNINGS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"RIFF": "WebP"}
"""What is left of each kind where line breaks and zeros were taken out."""
_TAKEN_BY_CURL = b"\r\n\0"
_HEAD_BYTES = 32
"""Within so many, a file of any of these kinds has a zero: in the length of a part, or behind its name."""
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
        pixels = png.plain_pixels(image, SMALL_PARTS) if image.startswith(png.SIGNATURE) else _jpeg_pixels(image)
        return pixels is not None and pixels <= SMALL_PIXELS

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
            raise _corrupt(image.format, data, error) from error

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
        scans = _count_scans(data)
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


def _count_scans(data: bytes) -> int:
    """Return how many there may be: within one, 255 is always followed by 0 or a restart marker.

    By numpy, and of pairs that begin at even and at odd places, because ``bytes.count`` takes six times as long.
    """
    pairs = (np.frombuffer(data, "<u2", (len(data) - begin) // 2, begin) for begin in (0, 1))
    return sum(int(np.count_nonzero(pair == _SCAN)) for pair in pairs)


def _jpeg_pixels(data: bytes) -> int | None:
    """Return the width times the height of a JPEG of few markers, None of anything else."""
    if data.count(b"\xff") > SMALL_PARTS:
        return None
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:  # whatever it is, to look closer may take time
        return None
    return int(width * height)


def _open(data: bytes) -> ImageFile.ImageFile:
    """Read the header alone, with the plugin that the first bytes call for: Pillow itself would try forty."""
    if not data:
        raise InvalidInput("the image is empty: 0 bytes; send a JPEG, PNG or WebP file")
    for begins, plugin in _PLUGINS.items():
        if data.startswith(begins) and (begins != b"RIFF" or data[8:12] == b"WEBP"):
            try:
                return plugin(io.BytesIO(data))
            except Exception as error:
                raise _corrupt(plugin.format, data, error) from error
    raise _tell_stripped(data) or InvalidInput(
        f"not an image that is read here (it begins with {data[:8]!r}); send a JPEG, PNG or WebP file"
    )


def _corrupt(kind: str | None, data: bytes, error: Exception) -> InvalidInput:
    reason = str(error) or type(error).__name__
    return _tell_stripped(data) or InvalidInput(f"the {kind} image is corrupt or truncated: {reason}")


def _tell_stripped(data: bytes) -> InvalidInput | None:
    """Return what to tell whoever sent a file with ``curl --data``, which no whole file and no part of one gets."""
    kind = next((kind for begins, kind in _BEGINNINGS.items() if data.startswith(begins)), None)
    has_length = data[8:12] == b"WEBP"  # the whole of a WebP's, which has a zero below 16 MB
    if kind is None or has_length or len(data) <= _HEAD_BYTES or any(byte in data for byte in _TAKEN_BY_CURL):
        return None
    return InvalidInput(
        f"a {kind} image whose line breaks and zeros were taken out on the way: send it as it is, "
        "with curl by --data-binary rather than --data"
    )


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
        png.check_chunks(data)
        if image.mode == "P" and image.palette is None:
            raise ValueError("it has no palette")
    image.load()
    stored: Image.Image = image
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion would clip at 255
        stored = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    pixels = np.asarray(stored.convert("RGB"))
    last = (np.asarray(stored) if stored.mode == "P" else pixels)[-1]
    if is_png and (png.is_interlaced(data) or not last.any()):
        png.check_rows(data, *image.size)
    return pixels
