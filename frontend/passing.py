"""Passing a request on to the model that it is for, and the answer back."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from yarl import URL

from frontend.errors import Refusal
from frontend.upload import Upload

logger = logging.getLogger(__name__)

PASSED_ON = ("accept", "content-type", "content-encoding", "traceparent", "tracestate", "user-agent", "x-request-id")
PASSED_BACK = ("cache-control", "content-length", "content-type", "retry-after", "server-timing", "x-request-id")
PAUSES_SECONDS = (0.1, 0.4)
"""Between two attempts to reach a model: a pod that is replaced is missed for less."""
CONNECT_SECONDS = 2.0
CHUNK_BYTES = 64 << 10


class Courier:
    """Passes requests on."""

    def __init__(self, session: aiohttp.ClientSession, *, timeout_seconds: float) -> None:
        self._session = session
        self._timeout_seconds = timeout_seconds

    async def fetch(self, request: Request, model: str, url: URL, media_type: str) -> Response:
        """Pass a GET on; an answer of 200 is of ``media_type``, ``image/`` for any image.

        Raises:
            Refusal: there is no answer.
        """
        return await self._pass(model, "GET", url, _headers(request), media_type)

    async def send(self, request: Request, model: str, url: URL, upload: Upload) -> Response:
        """Pass a POST on, and its body as it arrives.

        Raises:
            Refusal: there is no answer, or the body is refused.
            ClientDisconnect: the client went away; then the model is let go too.
        """
        await upload.begin()
        headers = _headers(request)
        if not upload.short and upload.length is not None:
            headers["content-length"] = str(upload.length)
        work = asyncio.ensure_future(self._pass(model, "POST", url, headers, "application/json", upload))
        try:
            while not work.done():
                if not upload.whole:  # until then the flow of the body notices
                    await asyncio.wait((work,), timeout=1)
                    continue
                gone = asyncio.ensure_future(upload.gone())
                await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
                gone.cancel()
                if not work.done():
                    raise ClientDisconnect
            return work.result()
        finally:
            work.cancel()

    async def _pass(
        self,
        model: str,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        media_type: str,
        upload: Upload | None = None,
    ) -> Response:
        answer = await self._ask(model, method, url, headers, upload)
        said = answer.headers.get("content-type", "").lower()
        if said.startswith(media_type if answer.status == HTTPStatus.OK else "application/json"):
            kept = {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}
            return PassedAnswer(answer, kept, self._timeout_seconds)
        answer.close()
        raise _refuse_stranger(model, answer.status, said)

    async def _ask(
        self, model: str, method: str, url: URL, headers: Mapping[str, str], upload: Upload | None
    ) -> aiohttp.ClientResponse:
        sent_twice = False
        for pause in (*PAUSES_SECONDS, None):
            try:
                return await self._ask_once(model, method, url, headers, upload)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:  # nothing has left
                reason: Exception = error
            except (aiohttp.ClientError, OSError) as error:
                if upload and upload.refusal:
                    raise upload.refusal from error
                reason = error
                # once: what takes a pod down should not be shown to all of them; of a GET aiohttp does it
                if upload is None or not upload.short or sent_twice:
                    break
                sent_twice = True
            if pause is None:
                break
            await asyncio.sleep(pause)
        logger.warning("%s: %s", url, reason)
        raise Refusal(503, f"model {model!r} does not answer, it may be starting; try again in a moment")

    async def _ask_once(
        self, model: str, method: str, url: URL, headers: Mapping[str, str], upload: Upload | None
    ) -> aiohttp.ClientResponse:
        body: Any = None
        try:
            # until the whole body has left: a model that does not read may hold it up
            begin = upload.deadline if upload and not upload.whole else asyncio.get_running_loop().time()
            async with asyncio.timeout_at(begin + self._timeout_seconds) as limit:
                if upload is None or upload.short:
                    body = upload.held if upload else None
                else:
                    body = _watch_end(upload.flow(), limit, self._timeout_seconds)
                return await self._session.request(method, url, headers=headers, data=body, allow_redirects=False)
        except TimeoutError as error:
            if isinstance(error, aiohttp.ClientError):  # of a connection; it may be tried again
                raise
            raise Refusal(504, f"model {model!r} did not answer within {self._timeout_seconds:g} seconds") from error


class PassedAnswer(Response):
    """A model's answer as it comes; one that breaks off, here or there, is broken off there or here."""

    def __init__(self, answer: aiohttp.ClientResponse, headers: Mapping[str, str], timeout_seconds: float) -> None:
        super().__init__(status_code=answer.status, headers=headers)
        self.raw_headers = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        self._answer = answer
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send it; the time is for all of it, so that nobody holds it by reading slowly."""
        try:
            async with asyncio.timeout(self._timeout_seconds), self._answer:
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                async for chunk in self._answer.content.iter_chunked(CHUNK_BYTES):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body"})
        except (aiohttp.ClientError, TimeoutError) as error:  # without its end uvicorn hangs up
            logger.warning("%s: the answer broke off: %s", self._answer.url, str(error) or type(error).__name__)


def open_session() -> aiohttp.ClientSession:
    """Return what models are called with: as many connections as there are requests."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=5),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def _watch_end(flow: AsyncIterator[bytes], limit: asyncio.Timeout, seconds: float) -> AsyncIterator[bytes]:
    async for chunk in flow:
        yield chunk
    limit.reschedule(asyncio.get_running_loop().time() + seconds)


def _headers(request: Request) -> dict[str, str]:
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    return {"accept-encoding": "identity", **headers}


def _refuse_stranger(model: str, status: int, media_type: str) -> Refusal:
    """Return what to say where somebody other than the model answered: a gateway's page, a redirect, another site."""
    name = next((f"{known.value} {known.phrase}" for known in HTTPStatus if known == status), str(status))
    what = f"{name} ({media_type.partition(';')[0] or 'no Content-Type'})"
    if status >= 500:
        return Refusal(503, f"what stands before model {model!r} answered {what}; try again in a moment")
    if status in (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.NOT_FOUND):
        return Refusal(status, f"what stands before model {model!r} answered {what}")
    return Refusal(502, f"what stands before model {model!r} answered {what}, which is no model's answer")
