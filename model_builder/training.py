"""Labelled pictures → a trained network."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from model_builder.augmentation import augment
from model_builder.determinism import reproducible
from model_builder.digits import LABELS, Split
from model_builder.progress import say
from model_server.engine.networks import build_network
from model_server.imaging import Imaging
from model_server.types import Float32Array, UInt8Array


@dataclass(frozen=True, slots=True)
class Course:
    """How a network is trained: AdamW under a one-cycle learning rate (Smith and Topin, Super-Convergence, 2018).

    The seed decides on the first weights, the order of the pictures and their augmentation.
    """

    epochs: int
    seed: int
    batch_images: int = 64
    highest_learning_rate: float = 0.01
    weight_decay: float = 0.01


def train_network(architecture: str, split: Split, imaging: Imaging, course: Course) -> nn.Module:
    """Return the network after the last epoch, ready for inference.

    Every picture passes through the server's own preprocessing. The held-out accuracy is told after each epoch, and
    nothing is chosen by it.
    """
    with reproducible(course.seed):
        network = build_network(architecture, len(LABELS))
        random = np.random.default_rng(course.seed)
        labels = torch.from_numpy(split.train.labels)
        steps = -(-len(labels) // course.batch_images)
        optimizer = torch.optim.AdamW(network.parameters(), weight_decay=course.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, course.highest_learning_rate, epochs=course.epochs, steps_per_epoch=steps
        )
        for epoch in range(1, course.epochs + 1):
            network.train()
            tensors = torch.from_numpy(prepare([augment(p, random) for p in split.train.pictures], imaging))
            total = 0.0
            order = torch.from_numpy(random.permutation(len(labels)))
            for start in range(0, len(labels), course.batch_images):
                batch = order[start : start + course.batch_images]
                loss = nn.functional.cross_entropy(network(tensors[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                total += loss.item() * len(batch)
            correct = (infer(network, split.held_out.pictures, imaging).argmax(1) == split.held_out.labels).mean()
            say(f"epoch {epoch:2} of {course.epochs}: loss {total / len(labels):.4f}, held-out accuracy {correct:.4f}")
        return network.eval()


def infer(network: nn.Module, pictures: UInt8Array, imaging: Imaging) -> Float32Array:
    """Return torch's own logits, FP32 ``[N, classes]``, for UINT8 ``[N, H, W]``."""
    network.eval()
    with torch.inference_mode():
        logits: Float32Array = network(torch.from_numpy(prepare(list(pictures), imaging))).numpy()
    return logits


def prepare(pictures: list[UInt8Array], imaging: Imaging) -> Float32Array:
    """Turn grey pictures, UINT8 ``[H, W]``, into what the network takes: FP32 ``[N, 3, S, S]``."""
    return imaging.normalise(np.stack([imaging.fit(np.stack([picture] * 3, axis=-1)) for picture in pictures]))
