import subprocess
import sys

PROBE = """
import socket, sys
def refuse(*args, **kwargs): raise AssertionError("the network was asked for")
socket.socket.connect = socket.getaddrinfo = refuse
import multiprocessing
multiprocessing.Process.start = refuse  # the package that reports does so from a process of its own
from model_server.telemetry import disable_telemetry
disable_telemetry()
from openvino.tools.ovc import telemetry_utils
from nncf.telemetry import telemetry
print(telemetry_utils.tm.__name__, type(telemetry).__name__)
"""


def test_openvino_and_nncf_fall_back_to_reporting_nothing() -> None:
    probe = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False)
    assert probe.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "MagicMock"], probe.stderr
