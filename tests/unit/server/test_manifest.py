"""Which variant of a bundle is chosen, and which combinations of one are refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from model_server.bundle import read_bundle
from model_server.errors import BundleError
from model_server.manifest import Manifest, Variant, select_variant

DIGEST = "0" * 64


def variant(precision: str, engine: str, device: str = "cpu", **changes: Any) -> Variant:
    paths = {"openvino": ("m.xml", "m.bin"), "onnxruntime": ("m.onnx",), "torch": ("m.safetensors",)}[engine]
    document = {
        "precision": precision,
        "engine": engine,
        "device": device,
        "inputs": "tensor" if engine == "onnxruntime" else "pixels",
        "files": [{"path": path, "sha256": DIGEST} for path in paths],
        **changes,
    }
    return Variant.model_validate(document)


@pytest.fixture
def manifest(colour_bundle: Path) -> Manifest:
    variants = [
        variant("float16", "torch", "cuda"),
        variant("int8", "openvino"),
        variant("float32", "onnxruntime"),
        variant("float32", "torch"),
    ]
    return read_bundle(colour_bundle).manifest.model_copy(update={"variants": variants})


def test_the_first_variant_that_fits_is_selected(manifest: Manifest) -> None:
    assert select_variant(manifest).device == "cuda"
    assert select_variant(manifest, device="cpu").precision == "int8"
    assert select_variant(manifest, precision="float32").engine == "onnxruntime"
    assert select_variant(manifest, precision="float32", engine="torch").device == "cpu"


def test_a_variant_that_this_machine_can_not_run_is_passed_over(manifest: Manifest) -> None:
    assert select_variant(manifest, runs_here=lambda v: v.device == "cpu").precision == "int8"
    assert select_variant(manifest, runs_here=lambda v: v.engine == "onnxruntime").precision == "float32"


def test_only_what_fits_is_asked_whether_it_runs(manifest: Manifest) -> None:
    asked: list[Variant] = []
    select_variant(manifest, engine="openvino", runs_here=lambda v: bool(asked.append(v)) or True)
    assert [v.engine for v in asked] == ["openvino"]


def test_none_that_fits(manifest: Manifest) -> None:
    with pytest.raises(BundleError, match=r"no variant for precision int4; .* int8 on cpu by openvino"):
        select_variant(manifest, precision="int4")
    with pytest.raises(BundleError, match=r"of a GPU: float16 on cuda by torch$"):
        select_variant(manifest, device="cuda", runs_here=lambda v: v.device == "cpu")


@pytest.mark.parametrize(
    ("precision", "engine", "device", "changes", "words"),
    [
        ("float32", "onnxruntime", "cuda", {}, "device cuda needs engine torch"),
        ("float16", "openvino", "cpu", {}, "float16 needs engine torch"),
        ("int8", "torch", "cpu", {}, "torch takes pixels, and computes in"),
        ("float32", "torch", "cpu", {"inputs": "tensor"}, "torch takes pixels"),
        ("float32", "torch", "cpu", {"files": [{"path": "m.pth", "sha256": DIGEST}]}, "takes one file each of"),
    ],
)
def test_a_variant_that_can_not_be(
    precision: str, engine: str, device: str, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        variant(precision, engine, device, **changes)
