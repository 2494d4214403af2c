"""Bodies, batches and images over their limits: rows 14 and 20."""

import gzip
import zlib
from collections.abc import Iterator

import httpx
import pytest
from doors import (
    DOORS,
    MANY,
    PREDICT,
    SMALL,
    Call,
    ask_raw,
    ask_v2_binary,
    ask_v2_json,
    assert_refused,
    brief,
    logits,
    peak_memory_bytes,
    top_labels,
    v2,
    v2_with_tail,
)
from pictures import BLUE, CLAIMS, FORMATS, RED, chunk, claim_png, plain, png
from servers import Server
from wire import wire

MAX_BYTES = SMALL["max_body_bytes"]
MAX_IMAGES = SMALL["max_images"]
SIDE = 100
"""The small server's largest square image."""
BOMB_BYTES = 64 << 20
GROWTH_BYTES = 16 << 20
"""More than a refusal may cost, less than any of what is refused would."""


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    """Return bodies that stay under the limit only as long as they are compressed."""
    plain_body = bytes(BOMB_BYTES)
    return {"gzip": gzip.compress(plain_body), "deflate": zlib.compress(plain_body)}


def chunked(body: bytes, size: int) -> Iterator[bytes]:
    return (body[begin : begin + size] for begin in range(0, len(body), size))


def post_chunked(client: httpx.Client, call: Call, size: int = 8192) -> httpx.Response:
    return client.post(call.path, content=chunked(call.body, size), headers=dict(call.headers))


@pytest.mark.parametrize("door", DOORS)
def test_row_14_a_body_over_the_limit(small: httpx.Client, door: str) -> None:
    call = DOORS[door](bytes(MAX_BYTES + 1))
    assert_refused(call.send(small), 413, f"{MAX_BYTES} bytes", f"{len(call.body)} bytes", "fewer or smaller images")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("length", [MAX_BYTES + 1, 2**40, 2**63])
def test_row_14_a_length_over_the_limit_is_refused_before_the_body(
    small: httpx.Client,
    small_server: Server,
    door: str,
    length: int,
) -> None:
    with wire(small_server.url) as line:
        line.send(DOORS[door](RED).to_bytes(length=length))
        assert_refused(line.read(), 413, f"{MAX_BYTES} bytes", f"{length} bytes")


@pytest.mark.parametrize("door", DOORS)
def test_row_14_a_client_that_asks_first_need_not_send(
    small: httpx.Client,
    small_server: Server,
    door: str,
) -> None:
    call = DOORS[door](RED).with_headers(expect="100-continue")
    head = Call(call.path, b"", call.headers)
    with wire(small_server.url) as line:
        line.send(head.to_bytes(length=MAX_BYTES + 1))
        assert_refused(line.read(), 413, f"{MAX_BYTES} bytes")
    with wire(small_server.url) as line:
        line.send(head.to_bytes(length=len(call.body)))
        assert line.read().status_code == 100
        line.send(call.body)
        assert top_labels(line.read()) == ["red"]


@pytest.mark.parametrize("door", DOORS)
def test_row_14_chunks_over_the_limit(small: httpx.Client, door: str) -> None:
    assert_refused(post_chunked(small, DOORS[door](bytes(MAX_BYTES + 1))), 413, f"{MAX_BYTES} bytes", "has more")


def test_row_14_chunks_without_end(small: httpx.Client, small_server: Server) -> None:
    with wire(small_server.url) as line:
        line.send(f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(MAX_BYTES // 1000 + 1):
            line.send(b"3E8\r\n" + bytes(1000) + b"\r\n")
        assert_refused(line.read(), 413, f"{MAX_BYTES} bytes", "has more")


@pytest.mark.parametrize("door", DOORS)
def test_row_14_chunks_within_the_limit(small: httpx.Client, door: str) -> None:
    assert top_labels(post_chunked(small, DOORS[door](BLUE), 7)) == ["blue"]


def test_row_14_a_body_of_exactly_the_limit(small: httpx.Client) -> None:
    body = ask_v2_json(RED).body
    padded = body + b" " * (MAX_BYTES - len(body))
    assert top_labels(v2(padded).send(small)) == ["red"]
    assert top_labels(v2(gzip.compress(padded)).with_headers(content_encoding="gzip").send(small)) == ["red"]
    assert_refused(v2(padded + b" ").send(small), 413)
    bigger = v2(gzip.compress(padded + b" ")).with_headers(content_encoding="gzip")
    assert_refused(bigger.send(small), 413, f"{MAX_BYTES} bytes", "decompressed")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_row_14_a_bomb(
    small: httpx.Client, small_server: Server, bombs: dict[str, bytes], door: str, encoding: str
) -> None:
    assert len(bombs[encoding]) < MAX_BYTES
    call = DOORS[door](RED)
    before = peak_memory_bytes(small_server.process.pid)
    answer = Call(call.path, bombs[encoding], {**call.headers, "Content-Encoding": encoding}).send(small)
    assert_refused(answer, 413, f"{MAX_BYTES} bytes", "decompressed")
    assert peak_memory_bytes(small_server.process.pid) - before < GROWTH_BYTES


@pytest.mark.parametrize("door", MANY)
@pytest.mark.parametrize("more", [1, 100])
def test_row_14_too_many_images(small: httpx.Client, door: str, more: int) -> None:
    answer = MANY[door](*[RED] * (MAX_IMAGES + more)).send(small)
    assert_refused(answer, 413, f"{MAX_IMAGES}", "images", "send several requests")


@pytest.mark.parametrize("door", MANY)
def test_row_14_as_many_images_as_are_taken(small: httpx.Client, door: str) -> None:
    assert top_labels(MANY[door](BLUE, RED, BLUE).send(small)) == ["blue", "red", "blue"]


def test_row_14_too_many_pixels_tensors(small: httpx.Client) -> None:
    shape = [MAX_IMAGES + 1, 1, 1, 3]
    entry = {"name": "pixels", "datatype": "UINT8", "shape": shape}
    words = ("'pixels'", f"{MAX_IMAGES + 1} images", f"at most {MAX_IMAGES}")
    assert_refused(v2({"inputs": [{**entry, "data": [0] * 3 * shape[0]}]}).send(small), 413, *words)
    tail = bytes(3 * shape[0])
    document = {"inputs": [{**entry, "parameters": {"binary_data_size": len(tail)}}]}
    assert_refused(v2_with_tail(document, tail).send(small), 413, *words)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("claim", CLAIMS)
def test_row_20_a_header_over_the_limit(colours: httpx.Client, colour_server: Server, claim: str, door: str) -> None:
    make, side = CLAIMS[claim]
    before = peak_memory_bytes(colour_server.process.pid)
    answer = DOORS[door](make(side, side)).send(colours)
    assert_refused(answer, 400, f"{side} x {side} = {side * side} pixels", "at most 50000000", "scale it down")
    assert peak_memory_bytes(colour_server.process.pid) - before < GROWTH_BYTES
    assert answer.elapsed.total_seconds() < 5


@pytest.mark.parametrize("size", [(65_500, 764), (764, 65_500)], ids=brief)
@pytest.mark.parametrize("claim", ["PNG", "JPEG", "WEBP canvas"])
def test_row_20_a_header_just_over_the_limit(colours: httpx.Client, claim: str, size: tuple[int, int]) -> None:
    width, height = size
    answer = ask_raw(CLAIMS[claim][0](width, height)).send(colours)
    assert_refused(answer, 400, f"{width} x {height} = {width * height} pixels")


@pytest.mark.parametrize(
    "size", [(2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (1, 2**31 - 1), (2**32 - 1, 2**32 - 1)], ids=brief
)
def test_row_20_a_png_of_all_that_its_header_can_say(
    colours: httpx.Client, colour_server: Server, size: tuple[int, int]
) -> None:
    before = peak_memory_bytes(colour_server.process.pid)
    assert_refused(ask_raw(claim_png(*size)).send(colours), 400)
    assert peak_memory_bytes(colour_server.process.pid) - before < GROWTH_BYTES


@pytest.mark.parametrize("form", FORMATS)
def test_row_20_the_limit_itself(small: httpx.Client, form: str) -> None:
    assert SMALL["max_image_pixels"] == SIDE * SIDE
    assert logits(small, plain((255, 0, 0), form, (SIDE, SIDE)))[0] == pytest.approx([4, 0, 0], abs=0.05)
    answer = ask_v2_binary(BLUE, plain((255, 0, 0), form, (SIDE, SIDE + 1))).send(small)
    assert_refused(answer, 400, "image 2 of 2", "100 x 101 = 10100 pixels", "at most 10000")


def test_row_20_a_png_whose_text_is_a_bomb(colours: httpx.Client, colour_server: Server) -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(BOMB_BYTES)))
    before = peak_memory_bytes(colour_server.process.pid)
    assert_refused(ask_raw(png(1, 1, 8, 2, [b"\xff\0\0"], text)).send(colours), 400, "the PNG image is corrupt")
    assert peak_memory_bytes(colour_server.process.pid) - before < GROWTH_BYTES
