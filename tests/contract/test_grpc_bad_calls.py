"""Calls that are wrong before anybody looks at a tensor, and clients that drip: row 34 and its neighbours."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from doors import ANSWER_SECONDS, brief
from grpc_doors import INFER, Client, Reply, ask_raw_contents, assert_refused, unharmed
from pictures import RED
from servers import Server, running_server

from model_server.codec.grpc_messages import SERVICE_NAME

INVALID, UNIMPLEMENTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED
SERVED = (
    "ServerLive, ServerReady, ServerMetadata, ModelReady, ModelMetadata, ModelInfer, "
    "RepositoryIndex, RepositoryModelLoad, RepositoryModelUnload"
)


@pytest.fixture(scope="module")
def impatient_server(colour_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits for nobody."""
    log = tmp_path_factory.mktemp("log") / "server.log"
    with running_server(log, "--models", str(colour_bundle), "--body-timeout-seconds", "1") as server:
        yield server


@pytest.fixture
def impatient(impatient_server: Server) -> Iterator[Client]:
    with grpc.insecure_channel(impatient_server.grpc_address) as channel, unharmed(Client(channel)) as client:
        yield client


def stream(client: Client, messages: Iterator[bytes]) -> Reply:
    """Call ModelInfer with as many messages as the iterator gives, as no client of the protocol would."""
    try:
        client.channel.stream_unary(INFER)(messages, timeout=ANSWER_SECONDS)
    except grpc.RpcError as error:
        return Reply(error.code(), error.details(), dict(error.trailing_metadata()))
    raise AssertionError("it was answered")


@pytest.mark.parametrize(
    "data", [b"\xff", b"\n\xff", b"nonsense", b'{"model_name": "colours"}', RED, b"\xff" * 100_000], ids=brief
)
def test_a_message_that_is_not_protobuf(calls: Client, data: bytes) -> None:
    for name in ("ModelInfer", "ModelMetadata", "ModelReady"):
        assert_refused(calls.call(name, data), INVALID, "can't be read", f"send a {name}Request")


def test_a_name_that_is_not_utf_8(calls: Client) -> None:
    data = ask_raw_contents(RED).SerializeToString()
    assert_refused(calls.infer(data.replace(b"colours", b"colour\xff")), INVALID, "can't be read")


def test_a_part_of_a_message(calls: Client) -> None:
    data = ask_raw_contents(RED).SerializeToString()
    assert_refused(calls.infer(data[:-1]), INVALID, "can't be read")


def test_a_call_without_a_message(calls: Client) -> None:
    assert_refused(stream(calls, iter(())), INVALID, "without a message", "send one")


def test_streaming_is_refused_by_name(calls: Client) -> None:
    requests = iter([ask_raw_contents(RED).SerializeToString()])
    with pytest.raises(grpc.RpcError) as caught:
        next(calls.channel.stream_stream(f"/{SERVICE_NAME}/ModelStreamInfer")(requests, timeout=ANSWER_SECONDS))
    assert caught.value.code() is UNIMPLEMENTED
    assert "ModelStreamInfer is not served here; ModelInfer takes a request at a time" in caught.value.details()


@pytest.mark.parametrize(
    "path",
    [
        f"/{SERVICE_NAME}/ModelConfig",
        f"/{SERVICE_NAME}/",
        f"/{SERVICE_NAME}",
        "/another.Service/ModelInfer",
        "/",
        "",
        "nothing",
        f"/{SERVICE_NAME}/é",
        f"/{SERVICE_NAME}/{'x' * 5000}",
        b"/\xff",
        f"/{SERVICE_NAME}/".encode() + b"ModelInfer\xff",
    ],
    ids=brief,
)
def test_a_method_that_is_not_there(calls: Client, path: str | bytes) -> None:
    """grpc.aio by itself stops for good at the last two."""
    reply = calls.call_path(path, ask_raw_contents(RED), timeout=ANSWER_SECONDS)
    assert_refused(reply, UNIMPLEMENTED, "not served here", f"there are: {SERVED}")


def test_metadata_that_is_too_much(calls: Client) -> None:
    reply = calls.infer(ask_raw_contents(RED), metadata=(("x", "x" * 100_000),))
    assert reply.code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_row_34_a_client_that_opens_a_call_and_sends_nothing(impatient: Client) -> None:
    refused = threading.Event()

    def nothing() -> Iterator[bytes]:
        refused.wait(ANSWER_SECONDS)
        yield b""

    try:
        reply = stream(impatient, nothing())
    finally:
        refused.set()
    assert_refused(reply, grpc.StatusCode.DEADLINE_EXCEEDED, "did not arrive within 1 seconds", "faster")


@pytest.mark.parametrize(
    "begun", [b"", b"PRI * HTTP/2.0\r\n", b"GET / HTTP/1.1\r\n\r\n"], ids=["none", "half", "HTTP/1"]
)
def test_row_34_a_connection_on_which_nothing_is_said(
    impatient: Client, impatient_server: Server, begun: bytes
) -> None:
    host, port = impatient_server.grpc_address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), ANSWER_SECONDS) as connection:
        connection.sendall(begun)
        assert is_closed(connection)


def is_closed(connection: socket.socket) -> bool:
    """Wait until the other side hangs up."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True
