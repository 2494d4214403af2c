"""``mlserver start`` with this folder; parallel inference for several workers, adaptive batching for batches."""

import os
import socket
import sys
from pathlib import Path

from benchmarks.peers.loopback import ADDRESS
from benchmarks.peers.resnet import BATCH, BATCH_SECONDS, PORT, WORKERS


def free_ports(count: int) -> list[int]:
    """Return so many ports that are free now."""
    probes = [socket.create_server((ADDRESS, 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


if __name__ == "__main__":
    grpc_port, metrics_port = free_ports(2)
    settings: dict[str, object] = {
        "HOST": ADDRESS,
        "HTTP_PORT": PORT,
        "GRPC_PORT": grpc_port,
        "METRICS_PORT": metrics_port,
        "METRICS_DIR": str(Path.home() / "metrics"),
        "ENVIRONMENTS_DIR": str(Path.home() / "environments"),
        "DEBUG": "false",
        "PARALLEL_WORKERS": WORKERS if WORKERS > 1 else 0,  # one is quicker without a pool: 2 to 5 ms of a core
    }
    if BATCH > 1:
        settings |= {"MODEL_MAX_BATCH_SIZE": BATCH, "MODEL_MAX_BATCH_TIME": BATCH_SECONDS}
    os.environ.update({f"MLSERVER_{name}": str(value) for name, value in settings.items()})
    program = str(Path(sys.executable).with_name("mlserver"))
    os.execv(program, [program, "start", str(Path(__file__).parent)])
