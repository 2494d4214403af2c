"""Every peer gets the whole image as it understands it, and its answer is understood."""

import base64
import json
from collections.abc import Callable
from typing import Any

import h11
import pytest
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from benchmarks.peers.peer import BENTOML, KSERVE_SDK, LITSERVE, MLSERVER, NEWCOMER, PEERS, RAY_SERVE, Peer

IMAGE = b"\xff\xd8\xff" + bytes(range(256)) * 300
Found = tuple[h11.Request, bytes]


def parse(request: bytes) -> Found:
    """Return the request and its body, as a strict server reads them."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(request)
    found = connection.next_event()
    assert isinstance(found, h11.Request)
    body = b""
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert connection.trailing_data == (b"", False)
    return found, body


@pytest.mark.parametrize("peer", [*PEERS, NEWCOMER], ids=str)
def test_a_request_is_whole_and_goes_to_this_machine(peer: Peer) -> None:
    request, _ = parse(peer.build_request(IMAGE))
    assert request.method == b"POST"
    assert dict(request.headers)[b"host"] == b"127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "find"),
    [
        (KSERVE_SDK, lambda document: document["instances"][0]["image"]["b64"]),
        (NEWCOMER, lambda document: document["instances"][0]["image"]["b64"]),
        (MLSERVER, lambda document: document["inputs"][0]["data"][0]),
    ],
    ids=["KServe SDK", "newcomer", "MLServer"],
)
def test_in_json_the_image_is_base64(peer: Peer, find: Callable[[Any], str]) -> None:
    _, body = parse(peer.build_request(IMAGE))
    assert base64.b64decode(find(json.loads(body)), validate=True) == IMAGE


@pytest.mark.parametrize(("peer", "field"), [(LITSERVE, "image"), (BENTOML, "images")], ids=str)
async def test_in_a_form_the_image_is_a_file(peer: Peer, field: str) -> None:
    request, body = parse(peer.build_request(IMAGE))

    async def stream():
        yield body

    form = await MultiPartParser(Headers(raw=list(request.headers)), stream()).parse()
    assert list(form) == [field]
    assert await form[field].read() == IMAGE
    assert form[field].content_type == "image/jpeg"
    await form.close()


def test_ray_gets_the_image_itself() -> None:
    assert parse(RAY_SERVE.build_request(IMAGE))[1] == IMAGE


@pytest.mark.parametrize(
    ("peer", "body"),
    [
        (KSERVE_SDK, b'{"predictions":[707]}'),
        (NEWCOMER, b'{"predictions":[707,992,126,653,480]}'),
        (MLSERVER, b'{"outputs":[{"name":"class","shape":[1,1],"datatype":"INT64","data":[707]}]}'),
        (LITSERVE, b'{"class":707}'),
        (BENTOML, b"[707]"),
        (RAY_SERVE, b'{"class":707}'),
    ],
    ids=str,
)
def test_the_class_is_read(peer: Peer, body: bytes) -> None:
    assert peer.read_class(body) == 707
