"""What the frontend answers: the page, the catalogue, the protocol's general questions, and what it passes on."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from yarl import URL

from frontend.access_log import is_own, log_request
from frontend.catalogue import Catalogue
from frontend.errors import Refusal
from frontend.headers import SecurityHeaders
from frontend.health import Health
from frontend.passing import Courier, open_session
from frontend.settings import Settings
from frontend.upload import Upload
from http_connection.access_log import CLIENT_CLOSED, AccessLog

PAGE = Path(__file__).parent / "page"
SERVER = {"name": "kserve-vision", "version": "0.1.0", "extensions": ["binary_tensor_data"]}
"""What ``/v2`` says: the models behind it, as one server."""
MAX_UPLOADS = 2000
"""Bodies that arrive at once: each holds memory."""

OpenCatalogue = Callable[[aiohttp.ClientSession], Catalogue]


def build_app(settings: Settings, open_catalogue: OpenCatalogue) -> Starlette:
    """Return the ASGI app over a catalogue, which is opened when the app starts."""
    files = _Files(directory=PAGE)
    doors = _Doors(settings, files)

    @asynccontextmanager
    async def live(_: Starlette) -> AsyncIterator[None]:
        async with open_session() as session:
            catalogue = open_catalogue(session)
            doors.open(session, catalogue)
            yield
            await catalogue.close()

    model = "/model/{model}"
    log = Middleware(AccessLog, log_request=log_request, is_left_out=is_own)
    logging = [log] if settings.access_log else []
    app = Starlette(
        routes=[
            Route("/", doors.page),
            Mount("/page", files, middleware=[Middleware(GZipMiddleware)]),
            Route("/catalogue", doors.catalogue),
            Route("/v2", doors.server),
            Route("/v2/health/live", doors.live),
            Route("/v2/health/ready", doors.ready),
            Route("/v2/models", doors.models),
            Route(model, doors.card),
            Route(model + "/samples/{number}", doors.sample),
            Route(model + "/predict", doors.predict, methods=["POST"]),
        ],
        middleware=[*logging, Middleware(SecurityHeaders)],
        exception_handlers={
            Refusal: _refuse,
            HTTPException: _refuse_http,
            ClientDisconnect: _forget,
            Exception: _fail,
        },
        lifespan=live,
    )
    app.router.redirect_slashes = False  # it would redirect to whatever host the client names
    return app


class _Doors:
    def __init__(self, settings: Settings, files: StaticFiles) -> None:
        self._settings = settings
        self._uploads = 0
        self._files = files

    def open(self, session: aiohttp.ClientSession, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._courier = Courier(session, timeout_seconds=self._settings.timeout_seconds)
        self._health = Health(session)

    async def page(self, request: Request) -> Response:
        return await self._files.get_response("index.html", request.scope)

    async def catalogue(self, _: Request) -> Response:
        states = await self._health.states(await self._catalogue.models())
        models = [{"id": name, "state": state} for name, state in states.items()]
        content = {"models": models, "max_body_bytes": self._settings.max_body_bytes}
        return JSONResponse(content, headers={"Cache-Control": "no-store"})

    async def server(self, _: Request) -> Response:
        return JSONResponse(SERVER)

    async def live(self, _: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(self, _: Request) -> Response:
        states = await self._health.states(await self._catalogue.models())
        if waiting := [f"{name} is {state}" for name, state in states.items() if state != "ready"]:
            raise Refusal(503, f"{', '.join(waiting)}; ask again in a moment")
        return JSONResponse({"ready": True})

    async def models(self, _: Request) -> Response:
        return JSONResponse({"models": list(await self._catalogue.models())})

    async def card(self, request: Request) -> Response:
        model, url = await self._find(request)
        return await self._courier.fetch(request, model, url, "application/json")

    async def sample(self, request: Request) -> Response:
        model, url = await self._find(request)
        number = request.path_params["number"]
        if not (number.isdecimal() and number.isascii() and len(number) < 10):
            raise Refusal(404, f"{number!r} is not a sample's number; {url.path} lists them")
        return await self._courier.fetch(request, model, url / "samples" / number, "image/")

    async def predict(self, request: Request) -> Response:
        model, url = await self._find(request)
        if self._uploads >= MAX_UPLOADS:
            raise Refusal(503, f"{MAX_UPLOADS} pictures are arriving at once; try again in a moment")
        self._uploads += 1
        upload = Upload(request, self._settings.max_body_bytes, self._settings.body_timeout_seconds)
        try:
            query = f"?{request.url.query}" if request.url.query else ""
            door = URL(f"{url}/predict{query}", encoded=True)  # as the client wrote it
            return await self._courier.send(request, model, door, upload)
        finally:
            self._uploads -= 1

    async def _find(self, request: Request) -> tuple[str, URL]:
        models, name = await self._catalogue.models(), request.path_params["model"]
        if name not in models:
            shown = name if len(name) <= 100 else f"{name[:97]}..."
            known = ", ".join(list(models)[:10]) or "none"
            raise Refusal(404, f"model {shown!r} is not there; these are: {known}{', …' if len(models) > 10 else ''}")
        return name, URL(models[name]) / "model" / name


class _Files(StaticFiles):
    """Files that a browser asks about each time: a new page should not run with an old script."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    return error.response()


async def _refuse_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    path = request.url.path if len(request.url.path) <= 100 else request.url.path[:97] + "..."
    allow = (error.headers or {}).get("Allow")
    messages = {
        404: f"{path} is not a path of this server; /v2/models lists the models, /model/<id> is one",
        405: f"{request.method} is not taken by {path}; send {(allow or 'GET').replace(', ', ' or ')}",
    }
    return Refusal(error.status_code, messages.get(error.status_code, error.detail), allow=allow).response()


async def _forget(_: Request, __: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED)


async def _fail(_: Request, error: Exception) -> Response:
    return Refusal(500, f"the frontend failed: {type(error).__name__}; its log says more").response()
