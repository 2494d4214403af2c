"""What the gRPC port answers: the procedures of GRPCInferenceService, as ``routes`` is for HTTP."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from model_server.authorization import Authorization
from model_server.codec import grpc as codec
from model_server.codec.grpc_messages import message_type
from model_server.codec.options import MAX_TIMEOUT_SECONDS
from model_server.codec.v2 import describe_server
from model_server.drain import Phase
from model_server.repository import BundleRepository
from model_server.request_body import run_by_size
from model_server.types import Query


@dataclass(frozen=True, slots=True)
class Call:
    """What a procedure may know of its call: the message's size in bytes, the seconds its client waits, who it is."""

    size: int
    time_remaining: Callable[[], float | None]
    authorization: str | None


Procedure = Callable[[Any, Call], Awaitable["bytes | Message"]]


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
