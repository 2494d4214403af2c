"""What can be set when the server starts, read from the command line."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT_MODELS = Path("/mnt/models")
"""Where KServe's storage initializer puts a bundle."""
MAX_IMAGE_PIXELS = 50_000_000
"""Width times height; the builder, which has no option for it, holds pictures to the same."""


@dataclass(frozen=True)
class Settings:
    """The server's settings; every unit stands in the name. ``threads`` is None for the container's CPU limit."""

    models: tuple[Path, ...] = (DEFAULT_MODELS,)
    named_models: tuple[tuple[str, Path], ...] = ()
    host: str = "0.0.0.0"  # noqa: S104 - a pod is called through its own address
    http_port: int = 8080
    grpc_port: int = 8081
    metrics_port: int = 8082
    device: str = "auto"
    precision: str = "auto"
    engine: str = "auto"
    threads: int | None = None
    max_batch: int = 8
    max_images: int = 64
    queue_size: int = 256
    max_body_bytes: int = 32 << 20
    max_image_pixels: int = MAX_IMAGE_PIXELS
    timeout_seconds: float = 10.0
    body_timeout_seconds: float = 30.0
    drain_delay_seconds: float = 5.0
    keep_alive_seconds: int = 95
    repository_token_file: Path | None = None
    access_log: bool = True


def parse_settings(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line; ``None`` stands for this process's own.

    Raises:
        SystemExit: ``--help``, or an argument that is refused, named on stderr.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.max_images > given.queue_size:
        parser.error(
            f"--max-images {given.max_images} is more than --queue-size {given.queue_size}: a request of that many "
            "images could never be admitted"
        )
    models, named = tuple(given.models or ()), tuple(given.model or ())
    values = {key: value for key, value in vars(given).items() if key not in ("models", "model", "no_access_log")}
    return Settings(
        models=models or (() if named else (DEFAULT_MODELS,)),
        named_models=named,
        access_log=not given.no_access_log,
        **values,
    )


def _parser() -> argparse.ArgumentParser:
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="vision-server",
        description="Serve image classifiers: Open Inference Protocol (V2) over REST and gRPC, KServe's V1, or curl.",
        epilog="example: vision-server --models models --host 127.0.0.1",
        allow_abbrev=False,
    )

    def add(flag: str, of: Callable[[str], object], meaning: str, metavar: str) -> None:
        value = getattr(default, flag[2:].replace("-", "_"))
        parser.add_argument(flag, type=of, default=value, metavar=metavar, help=f"{meaning} (default: {value})")

    parser.add_argument(
        "--models",
        action="append",
        type=Path,
        metavar="DIR",
        help=f"a model bundle, or a folder of bundles; may be repeated (default: {DEFAULT_MODELS})",
    )
    parser.add_argument(
        "--model",
        action="append",
        type=_named,
        metavar="NAME=DIR",
        help="a bundle to serve under a name of your choice; may be repeated",
    )
    add("--host", str, "address to listen on", "ADDRESS")
    add("--http-port", _port, "port for HTTP; 0 picks a free one", "PORT")
    add("--grpc-port", _port, "port for gRPC; 0 picks a free one", "PORT")
    add("--metrics-port", _port, "port for Prometheus; 0 picks a free one", "PORT")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to run; cuda needs torch and a GPU (default: auto, what this machine has)",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "int8", "float32", "float16", "bfloat16"),
        default="auto",
        help="which variant of each bundle to serve (default: auto, the first in the bundle that fits)",
    )
    parser.add_argument(
        "--engine",
        choices=("auto", "openvino", "onnxruntime", "torch"),
        default="auto",
        help="which variant of each bundle to serve, by its engine (default: auto)",
    )
    parser.add_argument(
        "--threads", type=_whole, metavar="N", help="engine threads (default: the container's CPU limit)"
    )
    add("--max-batch", _whole, "images in one call of the engine", "N")
    add("--max-images", _whole, "images in one request; more get 413", "N")
    add("--queue-size", _whole, "images admitted at once, for each model; more get 429", "N")
    add("--max-body-bytes", _whole, "size of a request, also after decompression; more gets 413", "BYTES")
    add("--max-image-pixels", _whole, "width times height of an image; more gets 400", "PIXELS")
    add(
        "--timeout-seconds",
        _seconds,
        "deadline of a request that names none; one that can't be met gets 503",
        "SECONDS",
    )
    add(
        "--body-timeout-seconds",
        _seconds,
        "time for a client to send its request; then it gets 408",
        "SECONDS",
    )
    add("--drain-delay-seconds", _delay, "after SIGTERM, how long to go on accepting requests", "SECONDS")
    add(
        "--keep-alive-seconds",
        _whole,
        "idle connections are kept for; longer than any proxy before it",
        "SECONDS",
    )
    parser.add_argument(
        "--repository-token-file",
        type=Path,
        metavar="FILE",
        help="the token that loads and unloads models at run time (default: none, nobody can)",
    )
    parser.add_argument("--no-access-log", action="store_true", help="do not log a line for each request")
    return parser


def _named(text: str) -> tuple[str, Path]:
    name, separator, folder = text.partition("=")
    if not (name and separator and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=DIR; give for instance cats=models/resnet-50")
    return name, Path(folder)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 to 65535")
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _delay(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return value


def _seconds(text: str) -> float:
    value = _delay(text)
    if not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value
