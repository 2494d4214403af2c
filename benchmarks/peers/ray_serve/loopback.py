"""Ray on the loopback alone, which it does of itself on macOS and Windows: everywhere else it looks for a wider one."""

from typing import Any

from ray._private import services
from ray.serve._private import replica

from benchmarks.peers.loopback import ADDRESS

ANY_PORT = f"{ADDRESS}:0"


def keep_to_loopback() -> None:
    """Let a node be where it is said to be, and the server between replicas too; to be called in every process."""
    add_port = replica.add_port_to_grpc_server

    def add_loopback_port(server: Any, _: str) -> int:
        port: int = add_port(server, ANY_PORT)
        return port

    services.resolve_ip_for_localhost = lambda host: host
    replica.add_port_to_grpc_server = add_loopback_port
