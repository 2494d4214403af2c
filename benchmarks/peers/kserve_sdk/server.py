"""A custom predictor with KServe's SDK, as its documentation has it: V1, where an image comes as base64.

V2 with binary tensors answers a JPEG as BYTES with 500, and takes 14 ms of a core for one as UINT8 where V1 takes 0.6.
Without the four lines that it would log of each request: logging.json is for its workers too.
"""

import base64
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers.loopback import confine_listening
from benchmarks.peers.resnet import PORT, WORKERS, Classifier, decode

sys.argv += ["--http_port", str(PORT), "--workers", str(WORKERS), "--enable_grpc", "false", "--model_name", "resnet-50"]
sys.argv += ["--enable_latency_logging", "false", "--log_config_file", str(Path(__file__).with_name("logging.json"))]

import kserve  # noqa: E402 - it reads the command line when it is imported


class ResNet(kserve.Model):
    """A model; of several workers, each gets a copy of this object and loads what it needs."""

    _classifier: Classifier

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.ready = True
        if WORKERS == 1:
            self.load()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state
        self.load()

    def load(self) -> bool:
        """Load the network."""
        self._classifier = Classifier()
        return True

    def predict(self, payload: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the classes of the images."""
        images = [base64.b64decode(instance["image"]["b64"]) for instance in payload["instances"]]
        return {"predictions": self._classifier.classify([decode(image) for image in images])}


if __name__ == "__main__":
    confine_listening()
    model = ResNet(kserve.model_server.args.model_name)
    kserve.ModelServer().start([model])
