"""The short way to the doors that label images."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

HandleError = Callable[[Request, Exception], Awaitable[Response]]
"""Makes an answer of an error."""


class Express:
    """ASGI middleware: a request to one of a few routes is answered here, all others by the app.

    Starlette's router would take as long to find a route as some doors take to refuse.

    Args:
        app: has these routes too, for the methods that they do not take.
        routes: the few.
        handlers: of what the routes raise; another error passes through.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[Route], handlers: Mapping[type[Exception], HandleError]) -> None:
        self._app = app
        self._routes = routes
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        for route in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                response = await self._answer(route, Request(scope, receive))
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer(self, route: Route, request: Request) -> Response:
        try:
            response: Response = await route.endpoint(request)
        except Exception as error:
            for kind, handle in self._handlers.items():
                if isinstance(error, kind):
                    return await handle(request, error)
            raise
        return response
