"""What the HTTP app answers under /v2/repository."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from model_server.authorization import Authorization
from model_server.codec.repository import decode_index, decode_load, decode_unload, encode_index
from model_server.drain import Phase
from model_server.repository import BundleRepository
from model_server.request_body import run_by_size

ReadBody = Callable[[Request], Awaitable[bytes]]


def repository_routes(
    repository: BundleRepository, authorization: Authorization, phase: Phase, read: ReadBody
) -> list[Route]:
    """Return the routes; everybody sees the index, who has the token changes it."""
    doors = _RepositoryDoors(repository, authorization, phase, read)
    model = "/v2/repository/models/{name}"
    return [
        Route("/v2/repository/index", doors.index, methods=["POST"]),
        Route(model + "/load", doors.load, methods=["POST"]),
        Route(model + "/unload", doors.unload, methods=["POST"]),
    ]


class _RepositoryDoors:
    def __init__(
        self, repository: BundleRepository, authorization: Authorization, phase: Phase, read: ReadBody
    ) -> None:
        self._repository = repository
        self._authorization = authorization
        self._phase = phase
        self._read = read

    async def index(self, request: Request) -> Response:
        body = await self._read(request)
        ready_only = await run_by_size(len(body), decode_index, body)
        return JSONResponse(encode_index(self._repository.index(ready_only=ready_only)))

    async def load(self, request: Request) -> Response:
        name = await self._admit(request, decode_load)
        model = await self._repository.load(name)
        return JSONResponse({"name": name, "load": True, "version": model.signature.version})

    async def unload(self, request: Request) -> Response:
        name = await self._admit(request, decode_unload)
        await self._repository.unload(name)
        return JSONResponse({"name": name, "unload": True})

    async def _admit(self, request: Request, decode: Callable[[bytes], None]) -> str:
        """Return the name of the model that the request is about, if it may go on."""
        self._authorization.check_token(request.headers.get("authorization"))
        body = await self._read(request)
        await run_by_size(len(body), decode, body)
        self._phase.check_not_ending()
        name: str = request.path_params["name"]
        return name
