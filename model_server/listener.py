"""The port: taken before anything is loaded, and given up without resetting a connection that was established."""

import asyncio
import ctypes
import logging
import select
import socket
import struct
import sys

from model_server.errors import StartError

logger = logging.getLogger(__name__)

MOST_WAITING = 4096
"""Connections that wait to be accepted: Linux keeps no more for a listener, unless `net.core.somaxconn` is raised."""

_SO_ATTACH_FILTER = 26
_DROP_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
"""For the kernel's packet filter: the TCP header's flags; is SYN among them? then drop it; else take all of it."""


def open_listener(host: str, port: int, option: str) -> socket.socket:
    """Listen on an address; port 0 picks a free one, and ``option`` chose it. Nothing is accepted yet.

    Raises:
        StartError: it can't be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise cannot_listen(host, port, option, error) from error
    listener.setblocking(False)
    return listener


def cannot_listen(host: str, port: int, option: str, error: Exception) -> StartError:
    """Return what to tell whoever chose an address, or a port with ``option``, that can't be had."""
    if isinstance(error, socket.gaierror):
        return StartError(f"--host {host}: {error.strerror}; give an address of this machine, or 0.0.0.0 for all")
    reason = f": {error.strerror}" if isinstance(error, OSError) else ""
    return StartError(
        f"can't listen on {host}:{port}{reason}; end what listens there, choose another port with {option} "
        "(0 picks a free one), or an address of this machine with --host"
    )


def refuse_connections(listener: socket.socket) -> None:
    """Let the connections that have begun be established and accepted, and none begin.

    A listener resets what it has not accepted yet when it is closed, and no order of accepting and closing can exclude
    that there is something. So the kernel is told to drop the first packet of every connection; clients repeat it a
    second later, when the listener has been closed, and are refused. Systems other than Linux have no such filter:
    there a few connections may be reset.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_SYN))
    try:
        listener.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_DROP_SYN), ctypes.addressof(program))
        )
    except OSError as error:  # a sandbox that has no filter either
        logger.info("can't filter new connections, some may be reset: %s", error)


async def accept_the_rest(listener: socket.socket) -> None:
    """Return when the event loop has accepted whom `refuse_connections` let in, so that closing resets nobody.

    uvloop accepts one connection in each of its turns, however many wait; asyncio's own loop all of them, but hands
    them over a turn later. Where nothing keeps new ones out this ends as well, after `MOST_WAITING` turns.
    """
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    for _ in range(MOST_WAITING):
        if not waiting.poll(0):
            break
        await asyncio.sleep(0)
    for _ in range(2):
        await asyncio.sleep(0)
