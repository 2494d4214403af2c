"""A server that would listen for everybody listens on the loopback."""

import os
import socket
import subprocess
import sys

import pytest

from benchmarks.peers.loopback import exposed

CONFINED = """
import asyncio, socket
from benchmarks.peers.loopback import confine_listening
confine_listening()
async def main():
    server = await asyncio.start_server(print, {host!r}, 0)
    print(*sorted({{each.getsockname()[0] for each in server.sockets}}))
asyncio.run(main())
"""


@pytest.mark.parametrize(("host", "found"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::", "::1")])
def test_it_is_confined(host: str, found: str) -> None:
    if ":" in host and not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    program = [sys.executable, "-c", CONFINED.format(host=host)]
    assert subprocess.run(program, capture_output=True, text=True, check=True).stdout.split() == [found]


def test_what_other_machines_could_reach_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)):
        assert exposed({os.getpid()}) == []
        with socket.create_server(("", 0)) as server:
            assert exposed({os.getpid()}) == [f"00000000:{server.getsockname()[1]:04X}"]
