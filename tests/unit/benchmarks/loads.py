"""Runs of the load client that nobody made."""

from typing import Any

from benchmarks.load_client import Load


def make_load(ok: int = 100, refused: int = 0, **changes: Any) -> Load:
    """Return a run of two seconds in which so many requests were answered and refused."""
    counted = {"ok": ok, "refused": refused, "other": 0}
    given: dict[str, Any] = {
        "requests": ok + refused,
        "statuses": {"200": ok, "503": refused},
        "seconds": 2.0,
        "counted": counted,
        "good": ok,
        "latency": {kind: {"p50": 15.0, "p99": 30.0} for kind in ("ok", "refused") if counted[kind]},
        "problems": [],
        "cpu_seconds": 0.1,
    }
    return Load(**{**given, **changes})
