"""Every kind of pixel, orientation and animation, against results worked out here by hand: rows 22, 23 and 24."""

import struct
from collections.abc import Iterator

import httpx
import pytest
import simplejpeg
from bundles import GAIN
from doors import DOORS, MODEL, Call, ask_v2_json, assert_refused, logits, top_labels
from kinds import (
    ADOBE_CMYK,
    COLOURED,
    EXACT,
    GREYS,
    JPEGS,
    NEARLY,
    PALETTE,
    PICTURE,
    PLAIN_CMYK,
    SIDE,
    STORED,
    YCCK,
    animation,
    half,
    mean_of,
    square_png,
    upright,
    with_orientation,
)
from pictures import BLUE, FORMATS, RED, chunk, encode, plain
from PIL import Image
from servers import Server


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


@pytest.fixture
def quadrants(quadrant_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=quadrant_server.url, timeout=60, trust_env=False) as client:
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
    data = animation(form, "blue", "red", "lime")
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
    assert_refused(DOORS["raw"](animation("GIF", "blue", "red")).send(colours), 400, "JPEG, PNG or WebP")


def test_row_22_the_reference_itself(colours: httpx.Client) -> None:
    assert logits(colours, RED)[0] == pytest.approx([GAIN, 0, 0], abs=EXACT)
    assert colours.get(f"/model/{MODEL}").json()["input_size"] == SIDE
