"""Differences between engines are found, measured and refused."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from model_builder.comparison import compare_engines
from model_builder.conversion import ONNX, WEIGHTS, convert
from model_builder.digits import PREPROCESSING
from model_builder.errors import BuildError
from model_builder.random_weights import draw_model
from model_server.bundle import Bundle
from model_server.engine import openvino


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    model = draw_model("digits-resnet", seed=0, classes=10, preprocessing=PREPROCESSING)
    folder = tmp_path_factory.mktemp("bundle") / "digits"
    return convert(model, folder, name="digits", made_by="a test", gpu_precision="float16").bundle


@pytest.fixture
def contents(bundle: Bundle) -> dict[str, bytes]:
    files = [file for variant in bundle.manifest.variants for file in variant.files]
    return {file.path: bundle.read(file) for file in files}


def change(model: bytes, of: Callable[[np.ndarray], np.ndarray]) -> bytes:
    """Return the ONNX file with the head's weights changed."""
    graph = onnx.load_from_string(model)
    (head,) = [tensor for tensor in graph.graph.initializer if tensor.name == "head.weight"]
    head.CopyFrom(onnx.numpy_helper.from_array(of(onnx.numpy_helper.to_array(head).copy()), head.name))
    return graph.SerializeToString()


def test_engines_that_agree_are_told_apart_by_rounding(bundle: Bundle, contents: dict[str, bytes]) -> None:
    differences = compare_engines(bundle.manifest, contents)
    assert [difference.engine for difference in differences] == ["ONNX Runtime", "OpenVINO"]
    for difference in differences:
        assert 0 <= difference.logits < 1e-4 * difference.largest
        assert difference.largest > 0.1


def test_one_weight_that_is_off_is_refused(bundle: Bundle, contents: dict[str, bytes]) -> None:
    def bend(head: np.ndarray) -> np.ndarray:
        head[3, 5] += 1
        return head

    with pytest.raises(BuildError, match=r"ONNX Runtime's logits differ from torch's by up to .*; nothing was written"):
        compare_engines(bundle.manifest, contents | {ONNX: change(contents[ONNX], bend)})


def test_logits_that_are_no_numbers_are_refused(bundle: Bundle, contents: dict[str, bytes]) -> None:
    with pytest.raises(BuildError, match="by up to nan"):
        compare_engines(bundle.manifest, contents | {ONNX: change(contents[ONNX], lambda head: head * np.nan)})


def test_openvino_is_compared_too(bundle: Bundle, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    infer = openvino.OpenVinoEngine.infer
    monkeypatch.setattr(openvino.OpenVinoEngine, "infer", lambda engine, rows: infer(engine, rows) * 1.1)
    with pytest.raises(BuildError, match="OpenVINO's logits differ"):
        compare_engines(bundle.manifest, contents)


def test_without_an_onnx_variant_there_is_nothing_to_compare(bundle: Bundle, contents: dict[str, bytes]) -> None:
    gpu, _, cpu = bundle.manifest.variants
    alone = bundle.manifest.model_copy(update={"variants": [gpu, cpu]})
    assert compare_engines(alone, {WEIGHTS: contents[WEIGHTS]}) == []
