"""A line of JSON for each request that is passed on or refused; probes and the page's own files are left out."""

import json
import logging

from http_connection.access_log import describe_request

logger = logging.getLogger("frontend.access")

LEFT_OUT = ("/v2/health/", "/page/", "/catalogue")


def log_request(method: str, path: str, status: int | str, *, seconds: float, size: int, client: str | None) -> None:
    """Log a request; ``size`` is its answer's, in bytes."""
    logger.info(json.dumps(describe_request(method, path, status, seconds=seconds, size=size, client=client)))


def is_own(path: str) -> bool:
    """Tell whether a path is the page's own, or a probe's."""
    return path.startswith(LEFT_OUT)
