"""A custom runtime for MLServer, as its documentation has it; model-settings.json beside it names it."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.peers.resnet import Classifier, decode


class ResNet(MLModel):
    """One input of base64, one output of classes; MLServer's batcher merges requests, and splits the answer."""

    async def load(self) -> bool:
        """Load the model."""
        self._classifier = Classifier()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Return the class of every image."""
        images = self.decode(payload.inputs[0], default_codec=Base64Codec)
        classes = np.array(self._classifier.classify([decode(image) for image in images])).reshape(-1, 1)
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("class", classes)])
