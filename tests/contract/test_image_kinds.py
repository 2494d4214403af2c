"""Every kind of pixel, orientation and animation, against results worked out here by hand: rows 22, 23 and 24."""

import struct
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import simplejpeg
from bundles import GAIN, write_quadrant_bundle
from doors import DOORS, MODEL, Call, ask_v2_json, assert_refused, logits, top_labels
from numpy.typing import NDArray
from pictures import BLUE, FORMATS, RED, chunk, encode, plain, png, without_segment
from PIL import Image
from servers import running_server

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


@pytest.mark.parametrize("kind", [*GREYS, *COLOURED])
def test_row_22_every_kind_of_pixel_has_one_conversion(colours: httpx.Client, kind: str) -> None:
    data, expected = {**GREYS, **COLOURED}[kind]
    assert logits(colours, data)[0] == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("kind", JPEGS)
def test_row_22_every_kind_of_jpeg_has_one_conversion(colours: httpx.Client, kind: str) -> None:
    data, expected = JPEGS[kind]
    assert logits(colours, data)[0] == pytest.approx(expected, abs=NEARLY)


def test_row_22_the_cmyk_files_are_what_they_are_said_to_be() -> None:
    assert b"Adobe" in ADOBE_CMYK
    assert b"Adobe" not in PLAIN_CMYK
    assert [simplejpeg.decode_jpeg_header(data)[2] for data in (ADOBE_CMYK, PLAIN_CMYK, YCCK)] == [
        "CMYK",
        "CMYK",
        "YCCK",
    ]


@pytest.mark.parametrize("door", DOORS)
def test_row_22_every_door_converts_alike(colours: httpx.Client, door: str) -> None:
    kinds = {
        "red": [square_png(8, 3, [0], [0], PALETTE), encode(half((255, 0, 0, 0), (255, 0, 0, 9)), "WEBP")],
        "blue": [
            encode(Image.new("CMYK", (20, 20), (255, 255, 0, 0)), "JPEG"),
            square_png(16, 2, [0, 0, 256], [0] * 3),
        ],
    }
    for label, files in kinds.items():
        for data in files:
            assert top_labels(DOORS[door](data).send(colours)) == [label]


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


@pytest.fixture(scope="module")
def quadrants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("quadrants")
    bundle = write_quadrant_bundle(folder / "bundle")
    with (
        running_server(folder / "server.log", "--models", str(bundle)) as server,
        httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client,
    ):
        yield client


def quarters(client: httpx.Client, data: bytes) -> list[float]:
    body = ask_v2_json(data).body[:-1] + b', "outputs": [{"name": "logits"}]}'
    answer = Call("/v2/models/quadrants/infer", body, {}).send(client)
    assert answer.status_code == 200, answer.text
    return answer.json()["outputs"][0]["data"]


@pytest.mark.parametrize("form", FORMATS)
def test_row_23_eight_orientations_are_one_answer(quadrants: httpx.Client, form: str) -> None:
    expected = (GAIN / 255 * PICTURE.ravel()).tolist()
    files = [with_orientation(stored(upright()), form, number) for number, stored in STORED.items()]
    assert len(set(files)) == 8
    for data in files:
        assert quarters(quadrants, data) == pytest.approx(expected, abs=NEARLY if form == "JPEG" else EXACT)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("orientation", [0, 9, 255, 65_535])
def test_row_23_a_number_that_is_no_orientation(quadrants: httpx.Client, form: str, orientation: int) -> None:
    expected = (GAIN / 255 * PICTURE.ravel()).tolist()
    data = with_orientation(upright(), form, orientation)
    assert quarters(quadrants, data) == pytest.approx(expected, abs=NEARLY if form == "JPEG" else EXACT)


@pytest.mark.parametrize(
    "exif",
    [b"", b"\0", b"II*\0", b"II*\0\xff\xff\xff\xff", b"nonsense" * 9, b"MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 20],
    ids=["nothing", "one byte", "no directory", "directory out of reach", "nonsense", "too many entries"],
)
@pytest.mark.parametrize("form", FORMATS)
def test_row_23_damaged_exif_is_passed_over(colours: httpx.Client, form: str, exif: bytes) -> None:
    segment = b"Exif\0\0" + exif
    jpeg = plain((255, 0, 0), "JPEG")
    data = {
        "JPEG": jpeg[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(segment)) + segment + jpeg[2:],
        "PNG": square_png(8, 2, [255, 0, 0], [255, 0, 0], chunk(b"eXIf", exif)),
        "WEBP": encode(Image.new("RGB", (16, 16), "red"), "WEBP", exif=segment),
    }[form]
    assert top_labels(DOORS["raw"](data).send(colours)) == ["red"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_row_24_of_an_animation_the_first_frame_counts(colours: httpx.Client, form: str, door: str) -> None:
    frames = [Image.new("RGB", (SIDE, SIDE), colour) for colour in ("blue", "red", "lime")]
    data = encode(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
    assert b"ANMF" in data or b"acTL" in data
    assert top_labels(DOORS[door](data).send(colours)) == ["blue"]


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_row_24_frames_that_change_a_part(colours: httpx.Client, form: str) -> None:
    first = Image.fromarray(half((255, 0, 0), (250, 0, 0)))
    second = first.copy()
    second.paste((0, 0, 255), (0, 0, 5, 5))
    data = encode(first, form, save_all=True, append_images=[second, first], duration=100)
    assert logits(colours, data, BLUE)[0] == pytest.approx(mean_of((255, 0, 0), (250, 0, 0)), abs=EXACT)


def test_row_24_an_animated_gif_is_still_a_gif(colours: httpx.Client) -> None:
    frames = [Image.new("RGB", (SIDE, SIDE), colour) for colour in ("blue", "red")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert_refused(DOORS["raw"](data).send(colours), 400, "JPEG, PNG or WebP")


def test_row_22_the_reference_itself(colours: httpx.Client) -> None:
    assert logits(colours, RED)[0] == pytest.approx([GAIN, 0, 0], abs=EXACT)
    assert colours.get(f"/model/{MODEL}").json()["input_size"] == SIDE
