"""OpenVINO and NNCF report their use over the network from the moment they are imported; here neither does."""

import sys


def disable_telemetry() -> None:
    """Make the package that sends look as if it were not installed, for the rest of the process.

    Both libraries work without it. Their own switch is a file in the user's home, and the command that writes it
    sends a last report. It has to be called before anything imports openvino or nncf.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # an import of it now fails
