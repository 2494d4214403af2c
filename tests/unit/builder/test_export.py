import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from model_builder.export import export_onnx
from model_server.engine.networks import DigitsResNet


@pytest.fixture(scope="module")
def network() -> DigitsResNet:
    torch.manual_seed(0)
    return DigitsResNet(10).eval()


@pytest.fixture(scope="module")
def exported(network: DigitsResNet) -> bytes:
    return export_onnx(network, 32)


@pytest.mark.parametrize("images", [1, 5])
def test_onnx_answers_as_torch_does_for_any_batch(network: DigitsResNet, exported: bytes, images: int) -> None:
    tensor = np.random.default_rng(0).standard_normal((images, 3, 32, 32), np.float32)
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"tensor": tensor})
    with torch.inference_mode():
        np.testing.assert_allclose(logits, network(torch.from_numpy(tensor)).numpy(), atol=1e-4)


def test_onnx_input_is_float_planes_of_any_number(exported: bytes) -> None:
    (given,) = onnx.load_from_string(exported).graph.input
    assert given.name == "tensor"
    assert given.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [dim.dim_value for dim in given.type.tensor_type.shape.dim] == [0, 3, 32, 32]


def test_onnx_says_nothing_of_the_machine_that_made_it(exported: bytes) -> None:
    for trace in (b"stack_trace", b"site-packages", b"model_builder", sys.prefix.encode(), b".py"):
        assert trace not in exported
