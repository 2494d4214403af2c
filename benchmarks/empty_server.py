"""The framework alone: uvicorn, httptools and Starlette as the server has them, answering an empty 200.

It reads the bodies that it gets.

python -m benchmarks.empty_server
"""

import argparse
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from http_connection.connection import connection_type
from model_server.settings import Settings


async def answer(request: Request) -> Response:
    """Read the body and say nothing."""
    await request.body()
    return Response()


def main() -> None:
    """Serve until a signal; print the address once there is one."""
    settings = Settings()
    config = uvicorn.Config(
        Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])]),
        http=connection_type(settings.body_timeout_seconds),
        ws="none",
        log_config=None,
        access_log=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        lifespan="off",
        server_header=False,
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        print(f"Address  http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m benchmarks.empty_server", description=(__doc__ or "").splitlines()[0]
    ).parse_args()
    main()
