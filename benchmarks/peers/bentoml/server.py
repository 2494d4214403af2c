"""``bentoml serve`` with the service beside this."""

import os
import sys
from pathlib import Path

from benchmarks.peers.loopback import ADDRESS
from benchmarks.peers.resnet import PORT

if __name__ == "__main__":
    program = str(Path(sys.executable).with_name("bentoml"))
    options = ["--host", ADDRESS, "--port", str(PORT)]
    os.execv(program, [program, "serve", "benchmarks.peers.bentoml.service:ResNet", *options])
