"""A network with its weights, and all that a bundle says of them."""

from dataclasses import dataclass

from torch import nn

from model_server.manifest import Preprocessing, PublishedAccuracy, TrainingData


@dataclass(frozen=True, slots=True)
class Model:
    """What every source of weights gives; the fields are those of ``model.yaml``.

    ``network`` is in inference mode, in float32, on the CPU.
    """

    architecture: str
    network: nn.Module
    preprocessing: Preprocessing
    labels: list[str]
    labels_source: str
    weights: str
    trained_on: TrainingData | None
    published: PublishedAccuracy | None = None
