"""Servers that answer as a request's path, or a call's message, asks them to."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc

BODY = b"{" + b" " * 5000 + b"}"


@dataclass
class Heard:
    """What a server was sent."""

    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    heard: Heard

    def setup(self) -> None:
        super().setup()
        self.heard.connections += 1

    def do_POST(self) -> None:
        self.heard.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        getattr(self, f"answer_{self.path.strip('/')}")()

    def log_message(self, *_: object) -> None:
        pass

    def answer_ok(self, status: int = 200, body: bytes = BODY, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_refused(self) -> None:
        self.answer_ok(503, b'{"error": "the deadline can\'t be met"}')

    def answer_wrong(self) -> None:
        self.answer_ok(400, b'{"error": "no image"}')

    def answer_goodbye(self) -> None:
        self.answer_ok(Connection="close")

    def answer_chunked(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (BODY, b"x", b""):
            self.wfile.write(f"{len(part):x};n=1\r\n".encode() + part + b"\r\n")

    def answer_broken(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")
        self.close_connection = True


@contextlib.contextmanager
def http_server() -> Iterator[tuple[str, Heard]]:
    """Listen on a free port; the value is the address and what was heard."""
    heard = Heard()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"heard": heard}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def grpc_server() -> Iterator[tuple[str, Heard]]:
    """Listen for ModelInfer; a message is the name of the status that it gets."""
    heard = Heard()

    def answer(message: bytes, context: grpc.ServicerContext) -> bytes:
        heard.bodies.append(message)
        status = grpc.StatusCode[message[:20].decode().strip()]
        if status is not grpc.StatusCode.OK:
            context.abort(status, "because it was asked for")
        return BODY

    handler = grpc.unary_unary_rpc_method_handler(answer)
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("inference.GRPCInferenceService", {"ModelInfer": handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", heard
    finally:
        server.stop(None).wait()
