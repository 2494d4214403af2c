"""A line of JSON for each request, probes left out."""

import logging

import orjson

from http_connection.access_log import describe_request

logger = logging.getLogger("model_server.access")


def log_request(method: str, path: str, status: int | str, *, seconds: float, size: int, client: str | None) -> None:
    """Log a request, of HTTP or of gRPC; ``size`` is its answer's, in bytes."""
    line = describe_request(method, path, status, seconds=seconds, size=size, client=client)
    logger.info(orjson.dumps(line).decode())


def is_probe(path: str) -> bool:
    """Tell whether a path only asks how the server or a model is."""
    return path.startswith("/v2/health/") or path.endswith("/ready")
