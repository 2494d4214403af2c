"""A peer that needs no environment: it answers 7, or as PEER_BATCH says; its child is a daemon of its own."""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

STARTS_WIDE, FAILS = 2, 3
"""What PEER_BATCH may be: listen on every address, end at once."""
BODY = b"7"


class Handler(BaseHTTPRequestHandler):
    """Answers anything."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)


if __name__ == "__main__":
    batch = int(os.environ["PEER_BATCH"])
    if batch == FAILS:
        sys.exit("no model here")
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    server = HTTPServer(("" if batch == STARTS_WIDE else "127.0.0.1", int(os.environ["PEER_PORT"])), Handler)
    Path(os.environ["PEER_READY"], str(os.getpid())).touch()
    server.serve_forever()
