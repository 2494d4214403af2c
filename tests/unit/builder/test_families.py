"""The smallest network of each of torchvision's families, through the whole command: every engine says what torch does.

What is compared here is compared again: the command itself refuses what differs, with code of its own.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import openvino
import pytest

from model_builder.__main__ import main
from model_builder.architecture import outline
from model_builder.pictures import draw_pictures
from model_server.bundle import read_bundle
from model_server.engine import load_engine
from model_server.engine.networks import OWN, list_architectures
from model_server.engine.openvino import load as load_openvino
from model_server.imaging import Imaging

SMALLEST = {
    "alexnet": "alexnet",
    "convnext": "convnext_tiny",
    "densenet": "densenet121",
    "efficientnet": "efficientnet_b0",
    "efficientnet_v2": "efficientnet_v2_s",
    "googlenet": "googlenet",
    "inception": "inception_v3",
    "maxvit": "maxvit_t",
    "mnasnet": "mnasnet0_5",
    "mobilenet_v2": "mobilenet_v2",
    "mobilenet_v3": "mobilenet_v3_small",
    "regnet_x": "regnet_x_400mf",
    "regnet_y": "regnet_y_400mf",
    "resnet": "resnet18",
    "resnext": "resnext50_32x4d",
    "shufflenet_v2": "shufflenet_v2_x0_5",
    "squeezenet": "squeezenet1_1",
    "swin": "swin_t",
    "swin_v2": "swin_v2_t",
    "vgg": "vgg11",
    "vit": "vit_b_16",
    "wide_resnet": "wide_resnet50_2",
}
CLASSES = 10
PICTURES = 4
TOLERANCE = 1e-3
"""Of the largest logit."""
LEAST_SPREAD = 0.01
"""Of the largest logit, from picture to picture: an answer that says nothing of the picture proves nothing."""


def parameters(architecture: str) -> int:
    return sum(tensor.numel() for tensor in outline(architecture, 1000, 224).values())


def test_there_is_one_for_every_architecture_and_none_is_smaller() -> None:
    members: dict[str, list[str]] = {family: [] for family in SMALLEST}
    for architecture in set(list_architectures()) - set(OWN):
        family = max((f for f in SMALLEST if re.match(f, architecture)), key=len)
        members[family].append(architecture)
    assert {family: min(of_family, key=parameters) for family, of_family in members.items()} == SMALLEST


@pytest.mark.parametrize("architecture", SMALLEST.values(), ids=SMALLEST)
def test_onnx_and_openvino_answer_as_torch_does(
    architecture: str, scratch: Path, openvino_ir: Callable[[bytes], tuple[bytes, bytes]]
) -> None:
    folder = scratch / "bundle"
    assert main(["export", architecture, "--weights", "random", "--classes", "10", "--output", str(folder)]) == 0
    bundle = read_bundle(folder)
    pixels = draw_pictures(PICTURES, bundle.manifest.preprocessing.crop, seed=5)
    tensor = Imaging(bundle.manifest.preprocessing).normalise(pixels)
    _, onnx, torch = bundle.manifest.variants
    (model,) = (bundle.read(file) for file in onnx.files)

    (weights,) = (bundle.read(file) for file in torch.files)
    reference = load_engine(bundle.manifest, torch, [weights], 1).infer(pixels)
    largest = np.abs(reference).max()
    assert reference.shape == (PICTURES, CLASSES)
    assert reference.std(axis=0).mean() > LEAST_SPREAD * largest
    for engine, logits in {
        "ONNX": load_engine(bundle.manifest, onnx, [model], 1).infer(tensor),
        "IR": load_openvino(*openvino_ir(model), threads=1).infer(tensor),
    }.items():
        difference = np.abs(logits - reference).max()
        print(f"{architecture}: {engine} differs by at most {difference:.1e}, the largest logit is {largest:.2f}")  # noqa: T201 - for -rP
        assert difference < TOLERANCE * largest


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder that does not outlive the test: pytest keeps its own for three runs, at gigabytes each."""
    yield tmp_path
    shutil.rmtree(tmp_path)


@pytest.fixture
def openvino_ir(scratch: Path) -> Callable[[bytes], tuple[bytes, bytes]]:
    """What turns an ONNX file into OpenVINO's ``.xml`` and ``.bin``, in float32."""

    def convert(model: bytes) -> tuple[bytes, bytes]:
        path = scratch / "ir.xml"
        openvino.save_model(openvino.Core().read_model(model=model), path, compress_to_fp16=False)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()

    return convert
