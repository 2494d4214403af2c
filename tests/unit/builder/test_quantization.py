import numpy as np
import openvino
import pytest
import torch

from model_builder.export import export_onnx
from model_builder.quantization import quantize_openvino
from model_server.engine.networks import DigitsResNet
from model_server.engine.openvino import load
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing

PREPROCESSING = Preprocessing(resize=32, crop=32, mean=[0.4, 0.5, 0.6], std=[0.2, 0.25, 0.3])


@pytest.fixture(scope="module")
def network() -> DigitsResNet:
    torch.manual_seed(0)
    return DigitsResNet(10).eval()


@pytest.fixture(scope="module")
def quantized(network: DigitsResNet) -> tuple[bytes, bytes]:
    calibration = np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), dtype=np.uint8)
    return quantize_openvino(export_onnx(network, 32), PREPROCESSING, calibration)


def test_pixels_go_in_and_normalisation_happens_inside(network: DigitsResNet, quantized: tuple[bytes, bytes]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    logits = load(*quantized, threads=1).infer(pixels)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(Imaging(PREPROCESSING).normalise(pixels))).numpy()
    np.testing.assert_allclose(logits, wanted, atol=0.1 * np.abs(wanted).max())


def test_graph_has_the_names_and_types_of_the_bundle_format(quantized: tuple[bytes, bytes]) -> None:
    graph = openvino.Core().read_model(model=quantized[0], weights=quantized[1])
    assert graph.input("pixels").get_element_type() == openvino.Type.u8
    assert graph.input("pixels").get_partial_shape() == openvino.PartialShape([-1, 32, 32, 3])
    assert graph.output("logits").get_element_type() == openvino.Type.f32


def test_convolutions_hold_weights_of_7_bits(quantized: tuple[bytes, bytes]) -> None:
    graph = openvino.Core().read_model(model=quantized[0], weights=quantized[1])
    weights = [
        op.get_data()
        for op in graph.get_ops()
        if op.get_type_name() == "Constant" and op.get_element_type() == openvino.Type.i8
    ]
    assert len(weights) == 10  # nine convolutions and the head
    assert max(np.abs(values.astype(int)).max() for values in weights) <= 64


def test_ir_says_nothing_of_how_and_where_it_was_made(quantized: tuple[bytes, bytes]) -> None:
    xml, _ = quantized
    assert xml.endswith(b"</net>\n")
    for trace in (b"nncf", b"OpenVINO Runtime", b"advanced_parameters", b"conversion_parameters"):
        assert trace not in xml
    assert b'layout="[N,H,W,C]"' in xml
