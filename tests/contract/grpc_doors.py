"""Calls of the gRPC port, and what every refusal and every right answer looks like."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from doors import ANSWER_SECONDS, GOOD, MODEL, framed
from pictures import PICTURES

from model_server.codec.grpc_messages import SERVICE_NAME, message_type

INFER = f"/{SERVICE_NAME}/ModelInfer"
RETRY = {"retry-after", "grpc-retry-pushback-ms"}


def message(kind: str, /, **fields: Any) -> Any:
    """Return a message of the inference service."""
    return message_type(kind)(**fields)


def infer(*inputs: Mapping[str, Any], raw: tuple[bytes, ...] = (), model: str = MODEL, **fields: Any) -> Any:
    """Return a ModelInferRequest."""
    return message("ModelInferRequest", model_name=model, inputs=inputs, raw_input_contents=raw, **fields)


def _parameters(timeout_seconds: float | None) -> dict[str, Any]:
    return {} if timeout_seconds is None else {"parameters": {"timeout": {"int64_param": round(timeout_seconds * 1e6)}}}


def ask_raw_contents(*files: bytes, timeout_seconds: float | None = None, **fields: Any) -> Any:
    entry = {"name": "image", "datatype": "BYTES", "shape": [len(files)]}
    return infer(entry, raw=(framed(*files),), **_parameters(timeout_seconds), **fields)


def ask_contents(*files: bytes, timeout_seconds: float | None = None, **fields: Any) -> Any:
    entry = {"name": "image", "datatype": "BYTES", "shape": [len(files)], "contents": {"bytes_contents": files}}
    return infer(entry, **_parameters(timeout_seconds), **fields)


GRPC_DOORS = {"grpc-raw": ask_raw_contents, "grpc-typed": ask_contents}


def read_labels(answer: bytes) -> list[str]:
    """Return the first label of each image, whichever way the answer came."""
    response: Any = message_type("ModelInferResponse").FromString(answer)
    index, labels = next((i, output) for i, output in enumerate(response.outputs) if output.name == "labels")
    images, each = labels.shape
    values = list(labels.contents.bytes_contents)
    if response.raw_output_contents:
        values = unframed(response.raw_output_contents[index])
    assert len(values) == images * each
    return [value.decode() for value in values[::each]]


def unframed(data: bytes) -> list[bytes]:
    """Return BYTES elements out of how the binary extension has them."""
    values = []
    while data:
        length = int.from_bytes(data[:4], "little")
        values.append(data[4 : 4 + length])
        data = data[4 + length :]
    return values


@dataclass(frozen=True)
class Reply:
    """What became of a call. ``answer`` is the response's bytes where ``code`` is OK."""

    code: grpc.StatusCode
    details: str
    trailing: Mapping[str, str]
    answer: bytes = b""

    def read(self, name: str = "ModelInferResponse") -> Any:
        """Return the response."""
        assert self.code is grpc.StatusCode.OK, (self.code, self.details)
        return message_type(name).FromString(self.answer)

    def labels(self) -> list[str]:
        """Return the first label of each image."""
        assert self.code is grpc.StatusCode.OK, (self.code, self.details)
        return read_labels(self.answer)


@dataclass(frozen=True)
class Client:
    """Calls procedures of the inference service, and never raises."""

    channel: grpc.Channel

    def call(self, name: str, request: Any = b"", *, timeout: float = ANSWER_SECONDS, **options: Any) -> Reply:
        """Call a procedure with a message, or with bytes that may be none."""
        return self.call_path(f"/{SERVICE_NAME}/{name}", request, timeout=timeout, **options)

    def call_path(self, path: str | bytes, request: Any = b"", **options: Any) -> Reply:
        """Call any method of any service."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        try:
            answer, call = self.channel.unary_unary(path).with_call(data, **options)
        except grpc.RpcError as error:
            return Reply(error.code(), error.details(), _texts(error.trailing_metadata()))
        return Reply(call.code(), call.details(), _texts(call.trailing_metadata()), answer)

    def infer(self, request: Any, **options: Any) -> Reply:
        """Call ModelInfer."""
        return self.call("ModelInfer", request, **options)


class AsyncClient:
    """The same, for a server in this process."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel

    async def call(self, name: str, request: Any = b"", **options: Any) -> Reply:
        """Call a procedure."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        call = self.channel.unary_unary(f"/{SERVICE_NAME}/{name}")(data, **{"timeout": ANSWER_SECONDS, **options})
        try:
            answer = await call
        except grpc.aio.AioRpcError as error:
            return Reply(error.code(), error.details() or "", _texts(error.trailing_metadata()))
        return Reply(await call.code(), "", _texts(await call.trailing_metadata()), answer)

    async def infer(self, request: Any, **options: Any) -> Reply:
        """Call ModelInfer."""
        return await self.call("ModelInfer", request, **options)


def _texts(metadata: Any) -> dict[str, str]:
    return dict(metadata or ())


def assert_refused(reply: Reply, code: grpc.StatusCode, *words: str, retry: bool | None = None) -> None:
    """Hold a refusal against its contract: the code, what its text says, and when to come again.

    ``retry`` says whether the latter is told; by default with UNAVAILABLE alone.
    """
    assert reply.code is code, f"{reply.code} instead of {code}: {reply.details}"
    assert 10 < len(reply.details) < 600, reply.details
    missing = [word for word in words if word not in reply.details]
    assert not missing, f"{missing} not in {reply.details!r}"
    if code is grpc.StatusCode.UNAVAILABLE if retry is None else retry:
        seconds = int(reply.trailing["retry-after"])
        assert seconds >= 1
        assert reply.trailing["grpc-retry-pushback-ms"] == str(1000 * seconds)
    else:
        assert not RETRY & set(reply.trailing)


def assert_good(live: Reply, answer: Reply) -> None:
    assert live.read("ServerLiveResponse").live
    assert answer.labels() == list(GOOD)


@contextmanager
def unharmed(client: Client) -> Iterator[Client]:
    """Lend a client, then see that its server is live and answers the next good call right."""
    yield client
    assert_good(client.call("ServerLive"), client.infer(ask_raw_contents(*PICTURES.values())))


async def assert_unharmed(client: AsyncClient) -> None:
    assert_good(await client.call("ServerLive"), await client.infer(ask_raw_contents(*PICTURES.values())))
