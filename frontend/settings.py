"""What can be set when the frontend starts, read from the command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Settings:
    """The frontend's settings; every unit stands in the name. ``catalogue``, ``gateway`` or both are given."""

    catalogue: Path | None = None
    gateway: str | None = None
    host: str = "0.0.0.0"  # noqa: S104 - a pod is called through its own address
    port: int = 8000
    max_body_bytes: int = 32 << 20
    body_timeout_seconds: float = 30.0
    timeout_seconds: float = 30.0
    keep_alive_seconds: int = 95
    access_log: bool = True


def parse_settings(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line; ``None`` stands for this process's own.

    Raises:
        SystemExit: ``--help``, or an argument that is refused, named on stderr.
    """
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    if given["catalogue"] is None and given["gateway"] is None:
        parser.error("give --catalogue FILE, --gateway URL, or both: else there is no model to show")
    return Settings(access_log=not given.pop("no_access_log"), **given)


def parse_url(value: str) -> str:
    """Return an address without what stands behind its path.

    Raises:
        ValueError: it is not one of http or https.
    """
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{value!r} is not an address such as http://models.example.com")
    _ = parts.port  # raises where it is not a number
    return value.rstrip("/")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vision-frontend",
        description="Serve the web page over the models, and pass its pictures on to them.",
        allow_abbrev=False,
    )
    known = Settings()
    add = parser.add_argument
    add(
        "--catalogue",
        type=Path,
        metavar="FILE",
        help='the models, as JSON: {"models": [{"id": "cats", "url": "http://cats-predictor.vision.svc"}]}; '
        "read again when it changes",
    )
    add(
        "--gateway",
        type=_url,
        metavar="URL",
        help="where all models are reached, at /model/<id>: a server, or the address of an Ingress or a Gateway; "
        "without --catalogue its /v2/models lists them",
    )
    add("--host", default=known.host, help="address to listen on (default: %(default)s)")
    add(
        "--port",
        type=parse_port,
        metavar="PORT",
        default=known.port,
        help="its port; 0 picks a free one (default: %(default)s)",
    )
    add(
        "--max-body-bytes",
        type=parse_whole,
        metavar="N",
        default=known.max_body_bytes,
        help="bytes of a request; more get 413 (default: %(default)s)",
    )
    add(
        "--body-timeout-seconds",
        type=parse_seconds,
        metavar="SECONDS",
        default=known.body_timeout_seconds,
        help="time that a client has to send its headers, and then its body (default: %(default)s)",
    )
    add(
        "--timeout-seconds",
        type=parse_seconds,
        metavar="SECONDS",
        default=known.timeout_seconds,
        help="time that a model has to answer, once it has the request; longer than its own (default: %(default)s)",
    )
    add(
        "--keep-alive-seconds",
        type=parse_whole,
        metavar="N",
        default=known.keep_alive_seconds,
        help="idle connections are kept for; longer than any proxy before it (default: %(default)s)",
    )
    add("--no-access-log", action="store_true", default=False, help="write no line for each request")
    return parser


def _url(value: str) -> str:
    try:
        return parse_url(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def parse_port(value: str) -> int:
    """Return a port, for argparse.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not value.isdecimal() or not value.isascii() or int(value) > 65535:
        raise argparse.ArgumentTypeError(f"{value!r} is not a port, 0 to 65535")
    return int(value)


def parse_whole(value: str) -> int:
    """Return a whole number above 0, for argparse.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not value.isdecimal() or not value.isascii() or not 0 < int(value) < 1 << 40:
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number above 0")
    return int(value)


def parse_seconds(value: str) -> float:
    """Return a number of seconds, for argparse.

    Raises:
        argparse.ArgumentTypeError: it is none, or not above 0, or as long as a day.
    """
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number of seconds, above 0 and below 86400")
    return seconds
