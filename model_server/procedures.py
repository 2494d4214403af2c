"""What the gRPC port answers: the procedures of GRPCInferenceService, as ``routes`` is for HTTP."""

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote

import grpc
from google.protobuf.message import Message

from model_server.access_log import log_request
from model_server.authorization import Authorization
from model_server.codec import grpc as codec
from model_server.codec.grpc_messages import SERVICE, SERVICE_NAME, message_type
from model_server.codec.options import MAX_TIMEOUT_SECONDS
from model_server.codec.protobuf import parse_message
from model_server.codec.v2 import describe_server
from model_server.drain import Phase
from model_server.errors import InvalidInput, NotReady, RequestTimeout, RetryLater, ServingError
from model_server.repository import BundleRepository
from model_server.request_body import run_by_size
from model_server.types import Query

logger = logging.getLogger(__name__)

Context: TypeAlias = Any
"""grpc.aio.ServicerContext, which comes without types."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a procedure may know of its call: the message's size in bytes, the seconds its client waits, who it is."""

    size: int
    time_remaining: Callable[[], float | None]
    authorization: str | None


Procedure = Callable[[Any, Call], Awaitable["bytes | Message"]]

CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
"""The code for the HTTP status that an error carries; any other is INTERNAL."""
SETTLE_SECONDS = 0.01
"""A message that is too large ends like none at all, until gRPC's core, which refuses it, cancels the procedure."""
DISCARD_SECONDS = 0.1
"""How long a client may go on sending what is refused: one that is still at it sees an error of its own instead."""
PROBES = ("ServerLive", "ServerReady")
"""Not in the access log, as over HTTP."""
STREAMING = "ModelStreamInfer"
"""Triton's streaming, which KServe's protocol lacks."""


class InferenceHandler:
    """Runs the procedure that a call names; ``active`` is how many calls are under way, their answers not sent yet.

    Every procedure takes one message and gives one, but is served as if it took many: only so does it run from the
    moment a call begins, and can count it and give its client a time to send in. The bytes are the same.

    Args:
        body_timeout_seconds: time for a client to send its message.
    """

    def __init__(
        self,
        repository: BundleRepository,
        authorization: Authorization,
        phase: Phase,
        *,
        body_timeout_seconds: float,
        access_log: bool,
    ) -> None:
        self.active = 0
        self._phase = phase
        self._dismissed = asyncio.Event()
        self._body_timeout_seconds = body_timeout_seconds
        self._access_log = access_log
        self._procedures = Procedures(repository, authorization, phase).by_name()

    def methods(self) -> dict[str, Any]:
        """Return what handles each procedure of the service, those that are refused by name among them."""
        known = (*SERVICE.methods_by_name, STREAMING)
        return {name: self._serve(name) if name in self._procedures else self._refuse(name) for name in known}

    def strangers(self) -> Any:
        """Return what refuses every other method."""
        return self._refuse("this method")

    def dismiss(self) -> None:
        """Refuse the calls that have come since the server stopped; they were held until their clients were told."""
        self._dismissed.set()

    def _serve(self, name: str) -> Any:
        path = f"/{SERVICE_NAME}/{name}"
        request_type = message_type(SERVICE.methods_by_name[name].input_type.name)
        procedure = self._procedures[name]

        async def serve(messages: AsyncIterator[bytes], context: Context) -> bytes:
            begin, code, size = time.perf_counter(), grpc.StatusCode.CANCELLED, 0
            client = _address(context.peer())
            self.active += 1
            context.add_done_callback(self._forget)
            try:
                answer = await self._answer(messages, request_type, procedure, context)
            except ServingError as error:
                code = CODES.get(error.status, grpc.StatusCode.INTERNAL)
                await context.abort(code, error.message, _retry_metadata(error))
                raise
            except Exception as error:
                code = grpc.StatusCode.INTERNAL
                logger.exception("%s failed", path)
                await context.abort(code, f"the server failed: {type(error).__name__}; its log says more")
                raise
            else:
                code, size = grpc.StatusCode.OK, len(answer)
                return answer
            finally:
                if self._access_log and name not in PROBES:
                    seconds = time.perf_counter() - begin
                    log_request("gRPC", path, code.name, seconds=seconds, size=size, client=client)

        return grpc.stream_unary_rpc_method_handler(serve)

    def _forget(self, _: Context) -> None:
        self.active -= 1

    async def _answer(
        self, messages: AsyncIterator[bytes], request_type: type[Message], procedure: Procedure, context: Context
    ) -> bytes:
        if self._phase.stopped:
            await self._dismissed.wait()
            raise NotReady("the server is stopping and accepts nothing more; send the request again to another")
        data = await self._receive(messages)
        message = await run_by_size(len(data), parse_message, data, request_type)
        token = dict(context.invocation_metadata() or ()).get("authorization")
        answer = await procedure(message, Call(len(data), context.time_remaining, token))
        return answer if isinstance(answer, bytes) else answer.SerializeToString()

    async def _receive(self, messages: AsyncIterator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._body_timeout_seconds):
                async for data in messages:
                    return data
        except TimeoutError as error:
            raise RequestTimeout(
                f"the message did not arrive within {self._body_timeout_seconds:g} seconds; send it faster"
            ) from error
        await asyncio.sleep(SETTLE_SECONDS)
        raise InvalidInput("the call ended without a message; send one")

    def _refuse(self, name: str) -> Any:
        hint = "; ModelInfer takes a request at a time, many at once" if name == STREAMING else ""
        message = f"{name} is not served here{hint}; there are: {', '.join(self._procedures)}"

        async def refuse(messages: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DISCARD_SECONDS):
                    async for _ in messages:
                        pass
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, message)
            yield b""

        return grpc.stream_stream_rpc_method_handler(refuse)


class Procedures:
    """The procedures, thin over the repository; each takes its request message and gives its response."""

    def __init__(self, repository: BundleRepository, authorization: Authorization, phase: Phase) -> None:
        self._repository = repository
        self._authorization = authorization
        self._phase = phase

    def by_name(self) -> Mapping[str, Procedure]:
        """Return the procedures by the names that the protocol gives them."""
        return {
            "ServerLive": self.server_live,
            "ServerReady": self.server_ready,
            "ServerMetadata": self.server_metadata,
            "ModelReady": self.model_ready,
            "ModelMetadata": self.model_metadata,
            "ModelInfer": self.infer,
            "RepositoryIndex": self.repository_index,
            "RepositoryModelLoad": self.load,
            "RepositoryModelUnload": self.unload,
        }

    async def server_live(self, _: Any, __: Call) -> Message:
        """Say that the process answers."""
        return message_type("ServerLiveResponse")(live=True)

    async def server_ready(self, _: Any, __: Call) -> Message:
        """Say whether every model can answer and the server is not about to end."""
        return message_type("ServerReadyResponse")(ready=not self._phase.draining and self._repository.is_ready())

    async def server_metadata(self, _: Any, __: Call) -> Message:
        """Return name, version and extensions."""
        return message_type("ServerMetadataResponse")(**describe_server())

    async def model_ready(self, request: Any, _: Call) -> Message:
        """Say whether a model can answer."""
        model = self._repository.find(request.name, request.version or None)
        return message_type("ModelReadyResponse")(ready=bool(model.ready) and not self._phase.draining)

    async def model_metadata(self, request: Any, _: Call) -> Message:
        """Return a model's inputs and outputs."""
        return codec.encode_metadata(self._repository.find(request.name, request.version or None).signature)

    async def infer(self, request: Any, call: Call) -> bytes:
        """Label images."""
        with self._repository.ask("grpc", request.model_name, request.model_version or None) as model:
            with model.metrics.time("decode"):
                decoded = await run_by_size(call.size, codec.decode_infer, request, model.signature)
            answer = await model.predict(_bound(decoded.query, call.time_remaining()))
            with model.metrics.time("encode"):
                return await run_by_size(answer.classes.nbytes, codec.encode_infer, answer, decoded, model.signature)

    async def repository_index(self, request: Any, _: Call) -> Message:
        """Return what is served and what could be."""
        return codec.encode_index(self._repository.index(ready_only=request.ready))

    async def load(self, request: Any, call: Call) -> Message:
        """Serve a model's bundle as it is on disk now."""
        self._admit(call)
        name = codec.decode_load(request)
        await self._repository.load(name)
        return message_type("RepositoryModelLoadResponse")(model_name=name, isLoaded=True)

    async def unload(self, request: Any, call: Call) -> Message:
        """Serve a model no more."""
        self._admit(call)
        name = codec.decode_unload(request)
        await self._repository.unload(name)
        return message_type("RepositoryModelUnloadResponse")(model_name=name, isUnloaded=True)

    def _admit(self, call: Call) -> None:
        """Refuse who may not load and unload."""
        self._authorization.check_token(call.authorization)
        self._phase.check_not_ending()


def _bound(query: Query, seconds: float | None) -> Query:
    """Return the query with the call's own deadline, where that comes first."""
    if seconds is None:
        return query
    within = min(seconds, query.timeout_seconds or MAX_TIMEOUT_SECONDS)
    return dataclasses.replace(query, timeout_seconds=within)


def _address(peer: str) -> str:
    """Return the address in what gRPC calls a peer: ``ipv4:127.0.0.1:37574`` or ``ipv6:%5B::1%5D:37574``."""
    return unquote(peer.partition(":")[2].rpartition(":")[0]).strip("[]")


def _retry_metadata(error: ServingError) -> tuple[tuple[str, str], ...]:
    """Say when to come back: as REST does, and as clients with a retry policy read it (gRFC A6, server pushback)."""
    if not isinstance(error, RetryLater):
        return ()
    seconds = error.retry_after_seconds
    return (("retry-after", str(seconds)), ("grpc-retry-pushback-ms", str(1000 * seconds)))
