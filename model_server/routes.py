"""What the HTTP app answers; it stands in the place of KServe's routers."""

import time
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from http_connection.access_log import CLIENT_CLOSED, AccessLog
from model_server.access_log import is_probe, log_request
from model_server.authorization import Authorization
from model_server.caller import unless_gone
from model_server.card import describe_card, sample_bytes
from model_server.codec.images import decode_images, is_form
from model_server.codec.predictions import encode_predictions
from model_server.codec.v1 import decode_v1
from model_server.codec.v2 import describe_model, describe_server
from model_server.codec.v2_binary import LENGTH_HEADER, weigh
from model_server.codec.v2_json import decode_v2, encode_v2
from model_server.drain import DrainGate, Phase
from model_server.errors import NotReady, RetryLater, ServingError, Unauthorized, UnsupportedMediaType
from model_server.express import Express, HandleError
from model_server.predictor import VisionModel
from model_server.repository import BundleRepository
from model_server.repository_routes import ReadBody, repository_routes
from model_server.request_body import read_body, run_by_size
from model_server.types import Answer

JSON = "application/json"
BINARY = "application/octet-stream"


class _NameConvertor(Convertor[str]):
    regex = "[^/:]+"  # V1 puts its verb behind a colon

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _NumberConvertor(Convertor[int]):
    regex = "[0-9]{1,9}"  # Python refuses to turn thousands of digits into a number

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("name", _NameConvertor())
register_url_convertor("number", _NumberConvertor())


def build_app(
    repository: BundleRepository,
    phase: Phase,
    authorization: Authorization,
    *,
    max_body_bytes: int,
    body_timeout_seconds: float,
    access_log: bool,
) -> Starlette:
    """Return the ASGI app over a repository."""
    read = partial(read_body, max_bytes=max_body_bytes, timeout_seconds=body_timeout_seconds)
    doors = _Doors(repository, phase, read)
    model, sample = "/v2/models/{name:name}", "/model/{name:name}/samples/{number:number}"
    labels = [
        Route("/model/{name:name}/predict", doors.predict, methods=["POST"]),
        Route(model + "/infer", doors.infer, methods=["POST"]),
        Route("/v1/models/{name:name}:predict", doors.predict_v1, methods=["POST"]),
    ]
    routes = [*labels]
    routes += [Route("/", doors.index), Route("/v2", doors.server)]
    routes += [Route("/v2/health/live", doors.live), Route("/v2/health/ready", doors.ready)]
    routes += [Route("/v2/models", doors.models_v2)]
    for path in (model, model + "/versions/{version}"):
        routes += [Route(path, doors.metadata), Route(path + "/ready", doors.model_ready)]
    routes += [
        Route("/v1/models", doors.models_v1),
        Route("/v1/models/{name:name}", doors.status_v1),
        Route(model + "/versions/{version}/infer", doors.infer, methods=["POST"]),
        Route("/model/{name:name}", doors.card),
        Route(sample, doors.sample),
        *repository_routes(repository, authorization, phase, read),
    ]
    logging = [Middleware(AccessLog, log_request=log_request, is_left_out=is_probe)] if access_log else []
    # Starlette's own handler of failures stands in front of the access log, which would see none
    failures = Middleware(ServerErrorMiddleware, handler=_fail)
    handlers: dict[Any, HandleError] = {ServingError: _refuse, HTTPException: _refuse_http, ClientDisconnect: _forget}
    express = Middleware(Express, routes=labels, handlers=handlers)
    app = Starlette(
        routes=routes,
        middleware=[*logging, Middleware(DrainGate, phase=phase), failures, express],
        exception_handlers=handlers,
    )
    app.router.redirect_slashes = False  # it would redirect to whatever host the client names
    return app


class _Doors:
    """The endpoints. Each reads a request with a codec, asks the model, and writes the answer with the same codec."""

    def __init__(self, repository: BundleRepository, phase: Phase, read: ReadBody) -> None:
        self._repository = repository
        self._phase = phase
        self._read = read

    async def index(self, _: Request) -> Response:
        names = [model.name for model in self._repository.vision_models()]
        return JSONResponse({"status": "alive", "models": {name: f"/model/{name}" for name in names}})

    async def server(self, _: Request) -> Response:
        return JSONResponse(describe_server())

    async def live(self, _: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(self, _: Request) -> Response:
        if self._phase.draining:
            raise NotReady("the server is stopping")
        for model in self._repository.vision_models():
            self._repository.find_ready(model.name)
        return JSONResponse({"ready": True})

    async def models_v2(self, _: Request) -> Response:
        return JSONResponse({"models": [model.name for model in self._repository.vision_models()]})

    models_v1 = models_v2

    async def metadata(self, request: Request) -> Response:
        return JSONResponse(describe_model(self._find(request).signature))

    async def model_ready(self, request: Request) -> Response:
        if self._phase.draining:
            raise NotReady("the server is stopping")
        model = self._find_ready(request)
        return JSONResponse({"name": model.name, "ready": True})

    async def status_v1(self, request: Request) -> Response:
        model = self._find_ready(request)
        return JSONResponse({"name": model.name, "ready": True})

    async def card(self, request: Request) -> Response:
        return JSONResponse(describe_card(self._find(request)))

    async def sample(self, request: Request) -> Response:
        data, media_type = sample_bytes(self._find(request), request.path_params["number"])
        return Response(data, media_type=media_type, headers={"Cache-Control": "max-age=3600"})

    async def infer(self, request: Request) -> Response:
        with self._ask("v2", request) as model:
            length = request.headers.get(LENGTH_HEADER)
            _check_content_type(request, JSON, BINARY)
            body = await self._read(request)
            begin = time.perf_counter()
            with model.metrics.time("decode"):
                decoded = await run_by_size(weigh(body, length), decode_v2, body, length, model.signature)
            answer = await unless_gone(request.receive, model.predict(decoded.query))
            with model.metrics.time("encode"):
                body, header_length = await run_by_size(
                    answer.classes.nbytes, encode_v2, answer, decoded, model.signature
                )
        timing = _write_timing(begin)
        if header_length is None:
            return Response(body, media_type=JSON, headers=timing)
        return Response(body, media_type=BINARY, headers={LENGTH_HEADER: str(header_length), **timing})

    async def predict_v1(self, request: Request) -> Response:
        with self._ask("v1", request) as model:
            _check_content_type(request, JSON)
            body = await self._read(request)
            begin = time.perf_counter()
            with model.metrics.time("decode"):
                query = await run_by_size(len(body), decode_v1, body, model.signature)
            answer = await unless_gone(request.receive, model.predict(query))
            body = await _write_predictions(answer, model)
        return Response(body, media_type=JSON, headers=_write_timing(begin))

    async def predict(self, request: Request) -> Response:
        with self._ask("predict", request) as model:
            content_type = request.headers.get("content-type", "")
            body = await self._read(request)
            begin = time.perf_counter()
            with model.metrics.time("decode"):
                size = len(body) if is_form(body, content_type) else 0  # an image is its body as it is
                query, single = await run_by_size(
                    size, decode_images, body, content_type, request.query_params, model.signature
                )
            answer = await unless_gone(request.receive, model.predict(query))
            body = await _write_predictions(answer, model, single=single)
        return Response(body, media_type=JSON, headers=_write_timing(begin))

    def _find(self, request: Request) -> VisionModel:
        return self._repository.find(request.path_params["name"], request.path_params.get("version"))

    def _find_ready(self, request: Request) -> VisionModel:
        return self._repository.find_ready(request.path_params["name"], request.path_params.get("version"))

    def _ask(self, door: str, request: Request) -> AbstractContextManager[VisionModel]:
        return self._repository.ask(door, request.path_params["name"], request.path_params.get("version"))


def _check_content_type(request: Request, *accepted: str) -> None:
    """Refuse a Content-Type that says something else; a client that says nothing is believed to send what it should."""
    content_type = request.headers.get("content-type", accepted[0])
    if content_type.partition(";")[0].strip().lower() not in accepted:
        raise UnsupportedMediaType(
            f"Content-Type: {content_type} is not read here; send -H 'Content-Type: {accepted[0]}', "
            "or an image as it is to /model/<id>/predict"
        )


async def _write_predictions(answer: Answer, model: VisionModel, *, single: bool = False) -> bytes:
    with model.metrics.time("encode"):
        return await run_by_size(answer.classes.nbytes, encode_predictions, answer, model.signature, single=single)


def _write_timing(begin: float) -> dict[str, str]:
    """Return the milliseconds since the body arrived, as https://www.w3.org/TR/server-timing has them."""
    return {"Server-Timing": f"model;dur={(time.perf_counter() - begin) * 1000:.2f}"}


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, ServingError):
        raise error
    headers = {}
    if isinstance(error, RetryLater):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": error.message}, error.status, headers)


async def _refuse_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    path = request.url.path if len(request.url.path) <= 100 else request.url.path[:97] + "..."
    allow = (error.headers or {}).get("Allow", "GET")
    messages = {
        404: f"{path} is not a path of this server; GET / lists its models",
        405: f"{request.method} is not taken by {path}; send {allow.replace(', ', ' or ')}",
    }
    return JSONResponse({"error": messages.get(error.status_code, error.detail)}, error.status_code, error.headers)


async def _forget(_: Request, __: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED)


async def _fail(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"the server failed: {type(error).__name__}; its log says more"}, 500)
