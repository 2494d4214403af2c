"""``python -m frontend.laptop``: a model server and the page over it, together, as ``make run`` starts them."""

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from frontend.errors import StartError
from frontend.settings import Settings, parse_port, parse_seconds, parse_whole

MODEL_SERVER = (sys.executable, "-m", "model_server")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both until Ctrl-C, SIGTERM or the server's own end; return the server's exit status."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:  # before there was anything to end
        return 0


def _run(arguments: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="make run",
        usage='make run [MODELS=DIR] [ARGS="[--page-port PORT] OPTION …"]',
        description="Run the model server and the web page over it. The server's options follow; MODELS is models, and "
        "--host 127.0.0.1, where nothing else is said.",
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument(
        "--page-port", type=parse_port, default=8000, metavar="PORT", help="the page's; 0 picks a free one"
    )
    parser.add_argument("-h", "--help", action="store_true", help=argparse.SUPPRESS)
    given, options = parser.parse_known_args(arguments)
    if given.help:
        print(parser.format_help(), flush=True)
        return subprocess.call([*MODEL_SERVER, "--help"])
    limits = find_limits(options, parser.usage)
    _end_by_signals()
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))  # of a terminal that is closed
    from frontend.service import address_of, open_listener, serve  # it takes a second, in which Ctrl-C may come

    try:
        with open_listener("127.0.0.1", given.page_port, 'ARGS="--page-port 8001"') as listener:
            came: list[int] = []
            for wanted in (signal.SIGINT, signal.SIGTERM):  # or a server that has just been started would be left alone
                signal.signal(wanted, lambda number, _: came.append(number))
            server = ModelServer(options, page=address_of(listener))
            try:
                _end_by_signals()
                for number in came:
                    signal.raise_signal(number)
                if url := server.wait_for_address():
                    serve(Settings(gateway=url, access_log=False, **limits), listener, lambda: None)
            except KeyboardInterrupt:
                pass
            finally:
                status = server.stop()
    except StartError as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    return status


def find_limits(options: Sequence[str], usage: str | None = None) -> dict[str, Any]:
    """Return the page's settings that the server's options ask for: what passes the server is to pass the page.

    Raises:
        SystemExit: one that the page can't have, named on stderr below the usage.
    """
    parser = argparse.ArgumentParser(
        prog="make run", usage=usage, add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS
    )
    parser.add_argument("--max-body-bytes", type=parse_whole)
    parser.add_argument("--body-timeout-seconds", type=parse_seconds)
    parser.add_argument("--timeout-seconds", type=parse_seconds)
    limits = vars(parser.parse_known_args(options)[0])
    if "timeout_seconds" in limits:  # the page waits no shorter than the server does
        limits["timeout_seconds"] = max(limits["timeout_seconds"], Settings.timeout_seconds)
    return limits


def _end_by_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts with & ignore it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


class ModelServer:
    """A model server as a child; what it says is said here too. When it ends, so does this process."""

    def __init__(self, options: Sequence[str], page: str) -> None:
        # a group of its own, for Ctrl-C goes to all of a group: it is told to end once, when nobody asks it any more
        self._process = subprocess.Popen([*MODEL_SERVER, *options], stdout=subprocess.PIPE, text=True, process_group=0)
        self._page = page
        self._url: str | None = None
        self._known = threading.Event()
        self._stopping = False
        threading.Thread(target=self._relay, daemon=True).start()

    def wait_for_address(self) -> str | None:
        """Return where it answers, or None where it ended instead."""
        self._known.wait()
        return self._url

    def stop(self) -> int:
        """End it and return its exit status."""
        self._stopping = True
        for number in (signal.SIGINT, signal.SIGTERM):  # again: then it waits for nobody
            signal.signal(number, lambda *_: self._process.send_signal(signal.SIGINT))
        if self._process.poll() is None:
            # until it serves it has nothing to finish, and may not even know yet what Ctrl-C is to do
            self._process.send_signal(signal.SIGINT if self._url else signal.SIGTERM)
        status = self._process.wait()
        if status == -signal.SIGTERM:  # before it had begun
            return 0
        return status if status >= 0 else 128 - status  # as shells tell a signal

    def _relay(self) -> None:
        for line in self._process.stdout or ():
            if self._url is None and (found := re.match(r"Address +(\S+)", line)):
                self._url = found[1]
                self._known.set()
                line = f"Page     {self._page}\n{line}"  # its port is open already: who comes at once waits a moment
            print(line, end="", flush=True)
        self._process.wait()
        self._known.set()
        if self._url and not self._stopping:
            print("make run: the model server has ended, so the page ends too", file=sys.stderr)
            os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
