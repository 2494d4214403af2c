"""Small bodies that decompress to a lot of work: the server refuses them, and answers others meanwhile."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from doors import ANSWER_SECONDS, Call, assert_refused, peak_memory_bytes, unharmed, v1, v2, v2_with_tail
from servers import Server

PLAIN_BYTES = 30 << 20
"""A little less than a body may have."""
LIVE_SECONDS = 2
"""How long a liveness answer may take, on a machine that is busy with other tests."""
GROWTH_BYTES = 512 << 20


@contextmanager
def always_live(url: str) -> Iterator[None]:
    """Ask again and again whether the server is live, and see that each answer comes in time."""
    took: list[float] = []
    problems: list[str] = []
    done = threading.Event()

    def poll() -> None:
        with httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False) as client:
            while not (took and done.wait(0.01)):
                begin = time.monotonic()
                try:
                    status = client.get("/v2/health/live").status_code
                except httpx.HTTPError as error:
                    problems.append(repr(error))
                    return
                took.append(time.monotonic() - begin)
                if status != 200:
                    problems.append(f"liveness answered {status}")

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    assert not problems
    assert max(took) < LIVE_SECONDS


def repeated(begin: bytes, item: bytes, end: bytes) -> bytes:
    """Return ``item`` as often as a body takes it, between brackets or whatever stands around."""
    return begin + (item + b",") * (PLAIN_BYTES // (len(item) + 1)) + item + end


def empty_elements() -> Call:
    entry = {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": PLAIN_BYTES}}
    return v2_with_tail({"inputs": [entry]}, bytes(PLAIN_BYTES))


def pixels(data: bytes, shape: list[int]) -> Call:
    entry = json.dumps({"name": "pixels", "datatype": "UINT8", "shape": shape}).encode()
    return v2(b'{"inputs": [' + entry[:-1] + b', "data": ' + data + b"}]}")


def flat_pixels() -> Call:
    count = PLAIN_BYTES // 2 // 3000
    return pixels(b"[" + b"0," * (count * 3000 - 1) + b"0]", [1, count, 1000, 3])


def nested_pixels() -> Call:
    row = b"[" + b",".join([b"[0,0,0]"] * 1000) + b"]"
    count = PLAIN_BYTES // len(row)
    return pixels(b"[[" + b",".join([row] * count) + b"]]", [1, count, 1000, 3])


MANY_CONTAINERS = (413, "more than 500000 lists, objects and fields", "binary_data_size")
CASES = {
    "elements": (empty_elements, (400, "shape [1] holds 1 values, 2 or more were given")),
    "instances": (
        lambda: v1(repeated(b'{"instances": [', b'{"image":{"b64":"AAAA"}}', b"]}")),
        MANY_CONTAINERS,
    ),
    "instances-of-nothing": (
        lambda: v1(b'{"instances": [' + b"0," * 3_000_000 + b"0]}"),
        (413, "instances holds 3000001 images; at most 64 are taken", "send several requests"),
    ),
    "flat": (flat_pixels, (413, "more than 4000000 values", "binary_data_size")),
    "nested": (nested_pixels, MANY_CONTAINERS),
    "lists": (lambda: v2(repeated(b'{"id": [', b"[]", b"]}")), MANY_CONTAINERS),
    "objects": (lambda: v2(repeated(b'{"id": [', b"{}", b"]}")), MANY_CONTAINERS),
    "fewer-lists": (
        lambda: v2(b'{"id": [' + b"[]," * 400_000 + b"[]]}"),
        (400, "id = [[], [], ", "...; it must be a string"),
    ),
    "inputs": (
        lambda: v2(b'{"inputs": [' + b"{}," * 400_000 + b"{}]}"),
        (400, "400001 inputs given; exactly one of image, pixels is taken"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_small_body_of_much_work_holds_nobody_up(own_server: Server, name: str) -> None:
    write, (status, *words) = CASES[name]
    plain = write()
    call = Call(plain.path, gzip.compress(plain.body), {**plain.headers, "Content-Encoding": "gzip"})
    assert len(call.body) < 200_000
    before = peak_memory_bytes(own_server.process.pid)
    with httpx.Client(base_url=own_server.url, timeout=ANSWER_SECONDS, trust_env=False) as client, unharmed(client):
        with always_live(own_server.url):
            answer = call.send(client)
        assert_refused(answer, status, *words)
    assert peak_memory_bytes(own_server.process.pid) - before < GROWTH_BYTES
