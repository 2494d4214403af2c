"""Nothing that runs here tells anybody outside of this machine, nor can be reached from there."""

import contextlib
import socket
import sys
from pathlib import Path

ENVIRONMENT = {
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "1",
    "OTEL_SDK_DISABLED": "true",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""The frameworks' own switches."""

ADDRESS = "127.0.0.1"
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - what is refused
_LISTEN = "0A"
_LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def disable_openvino_telemetry() -> None:
    """Make what reports OpenVINO's use look as if it were not installed; to be called before OpenVINO is imported."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # an import of it now fails


def confine_listening() -> None:
    """Let whoever would listen on every address of this machine do so on its loopback alone: KServe has no option."""
    bind = socket.socket.bind

    def bind_to_loopback(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] in _EVERYWHERE:
            address = ("::1" if self.family == socket.AF_INET6 else ADDRESS, *address[1:])
        bind(self, address)  # type: ignore[arg-type]

    socket.socket.bind = bind_to_loopback  # type: ignore[method-assign,assignment]


def exposed(processes: set[int]) -> list[str]:
    """Return where these processes listen for others than this machine, in the kernel's spelling of addresses."""
    sockets = {inode: address for inode, address in _listening().items() if address.partition(":")[0] not in _LOOPBACK}
    found = set()
    for process in processes:
        with contextlib.suppress(OSError):  # it has ended
            for link in list(Path(f"/proc/{process}/fd").iterdir()):
                with contextlib.suppress(OSError):  # it was closed
                    found.add(str(link.readlink()))
    return sorted(address for inode, address in sockets.items() if f"socket:[{inode}]" in found)


def _listening() -> dict[str, str]:
    """Map the inode of every TCP socket that listens to its address: proc(5), /proc/net/tcp."""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        path = Path(table)
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            fields = line.split()
            if fields[3] == _LISTEN:
                found[fields[9]] = fields[1]
    return found
