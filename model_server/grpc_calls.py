"""The way of a gRPC call: its message in, through the procedure that it names, the answer or the refusal out."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

import grpc
from google.protobuf.message import Message

from model_server.access_log import log_request
from model_server.codec.grpc_messages import SERVICE, SERVICE_NAME, message_type
from model_server.codec.protobuf import parse_message
from model_server.drain import Phase
from model_server.errors import InvalidInput, NotReady, RequestTimeout, RetryLater, ServingError
from model_server.procedures import Call, Procedure
from model_server.request_body import run_by_size

logger = logging.getLogger(__name__)

Context: TypeAlias = Any
"""grpc.aio.ServicerContext, which comes without types."""

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
        procedures: by the names that the protocol gives them.
        phase: of the server; once it has stopped, calls are held until they are dismissed.
        body_timeout_seconds: time for a client to send its message.
        access_log: whether a line is logged for each call.
    """

    def __init__(
        self,
        procedures: Mapping[str, Procedure],
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
        self._procedures = procedures

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


def _address(peer: str) -> str:
    """Return the address in what gRPC calls a peer: ``ipv4:127.0.0.1:37574`` or ``ipv6:%5B::1%5D:37574``."""
    return unquote(peer.partition(":")[2].rpartition(":")[0]).strip("[]")


def _retry_metadata(error: ServingError) -> tuple[tuple[str, str], ...]:
    """Say when to come back: as REST does, and as clients with a retry policy read it (gRFC A6, server pushback)."""
    if not isinstance(error, RetryLater):
        return ()
    seconds = error.retry_after_seconds
    return (("retry-after", str(seconds)), ("grpc-retry-pushback-ms", str(1000 * seconds)))
