import numpy as np

from model_builder.evaluation import measure
from model_server.manifest import BundleFile, Variant


def _variant(precision: str, engine: str, inputs: str, *paths: str) -> Variant:
    files = [BundleFile(path=path, sha256="0" * 64) for path in paths]
    return Variant.model_validate(
        {"precision": precision, "engine": engine, "device": "cpu", "inputs": inputs, "files": files}
    )


INT8 = _variant("int8", "openvino", "pixels", "m.xml", "m.bin")
FLOAT32 = _variant("float32", "onnxruntime", "tensor", "m.onnx")


def test_accuracy_is_against_the_truth_and_agreement_against_float32() -> None:
    truth = np.array([0, 1, 2, 3])
    logits = [np.eye(4, dtype=np.float32)[classes] for classes in ([0, 1, 1, 3], [0, 1, 1, 1])]
    int8, float32 = measure(logits, [INT8, FLOAT32], truth)
    assert (int8.accuracy, int8.agreement) == (0.75, 0.75)
    assert (float32.accuracy, float32.agreement) == (0.5, 1.0)
    assert int8.files == INT8.files
