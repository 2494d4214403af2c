"""A LitAPI, as LitServe's documentation has it for files; ZeroMQ between its processes, which it has for speed."""

import litserve
from fastapi import Request

from benchmarks.peers.loopback import ADDRESS
from benchmarks.peers.resnet import BATCH, BATCH_SECONDS, PORT, WORKERS, Classifier, Pixels, decode


class ResNet(litserve.LitAPI):
    """An image in a form, its class as JSON."""

    def setup(self, device: str) -> None:
        """Load the model."""
        self._classifier = Classifier()

    def decode_request(self, request: Request) -> Pixels:
        """Return the image's pixels."""
        return decode(request["image"].file.read())

    def predict(self, pixels: Pixels) -> list[int] | int:
        """Return the class of each image of a batch, which LitServe stacks; or of the one."""
        return self._classifier.classify(list(pixels)) if BATCH > 1 else self._classifier.classify([pixels])[0]

    def encode_response(self, output: int) -> dict[str, int]:
        """Return what is answered."""
        return {"class": output}


if __name__ == "__main__":
    batching = {"max_batch_size": BATCH, "batch_timeout": BATCH_SECONDS} if BATCH > 1 else {}
    server = litserve.LitServer(ResNet(**batching), accelerator="cpu", workers_per_device=WORKERS, fast_queue=True)
    server.run(host=ADDRESS, port=PORT, log_level="warning", access_log=False, generate_client_file=False)
