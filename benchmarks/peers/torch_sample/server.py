"""What KServe's sample of a custom model does, python/custom_model/model.py of its repository, with this ResNet-50.

As there: V1 with base64, one image a request, torch as it comes (eager, float32), a transform that is built at every
request, all of it on the event loop. The network has the float32 weights that the bundle was quantized from. Other than
there, nothing is logged of a request, so that logging isn't what is measured.
"""

import base64
import io
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers.loopback import confine_listening
from benchmarks.peers.resnet import BUNDLE, CROP, PORT, RESIZE, tell_ready

LOGGING = Path(__file__).parents[1] / "kserve_sdk/logging.json"
sys.argv += ["--http_port", str(PORT), "--enable_grpc", "false", "--model_name", "resnet-50"]
sys.argv += ["--enable_latency_logging", "false", "--log_config_file", str(LOGGING)]

import kserve  # noqa: E402 - it reads the command line when it is imported
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torchvision import transforms  # noqa: E402
from torchvision.models import resnet50  # noqa: E402


class ResNet(kserve.Model):
    """torchvision's network."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.load()

    def load(self) -> bool:
        """Load the weights."""
        self.model = resnet50()
        self.model.load_state_dict(load_file(BUNDLE / "float32/model.safetensors"))
        self.model.eval()
        self.ready = True
        tell_ready()
        return self.ready

    def preprocess(self, payload: dict[str, Any], headers: dict[str, str] | None = None) -> torch.Tensor:
        """Return the network's input."""
        image = Image.open(io.BytesIO(base64.b64decode(payload["instances"][0]["image"]["b64"])))
        transform = transforms.Compose(
            [
                transforms.Resize(RESIZE),
                transforms.CenterCrop(CROP),
                transforms.ToTensor(),
                transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
            ]
        )
        tensor: torch.Tensor = transform(image)
        return tensor.unsqueeze(0)

    def predict(self, tensor: torch.Tensor, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the best five classes."""
        logits = self.model(tensor)
        torch.nn.functional.softmax(logits, dim=1)
        _, classes = torch.topk(logits, 5)
        return {"predictions": classes.flatten().tolist()}


if __name__ == "__main__":
    confine_listening()
    kserve.ModelServer().start([ResNet("resnet-50")])
