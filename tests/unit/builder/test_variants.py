from dataclasses import replace
from pathlib import Path

from model_builder.variants import count_bytes, find_original, make_original, place_int8, record_figures
from model_builder.writing import describe
from model_server.bundle import read_bundle
from model_server.manifest import Variant

INT8_FILES = [describe("m.xml", b"graph"), describe("m.bin", b"weights")]
ORIGINAL = make_original(describe("m.onnx", b""))


def _torch(device: str) -> Variant:
    files = [describe("m.safetensors", b"")]
    return Variant.model_validate(
        {"precision": "float32", "engine": "torch", "device": device, "inputs": "pixels", "files": files}
    )


def test_int8_stands_before_what_runs_on_cpus_and_after_what_runs_on_gpus() -> None:
    gpu, cpu = _torch("cuda"), _torch("cpu")
    variants = place_int8([gpu, ORIGINAL, cpu], INT8_FILES)
    assert [variants[0], *variants[2:]] == [gpu, ORIGINAL, cpu]
    assert (variants[1].precision, variants[1].engine, variants[1].files) == ("int8", "openvino", INT8_FILES)
    again = [describe("n.xml", b""), describe("n.bin", b"")]
    assert [variant.files for variant in place_int8(variants, again)] == [gpu.files, again, ORIGINAL.files, cpu.files]


def test_what_is_made_is_found(colour_bundle: Path) -> None:
    bundle = read_bundle(colour_bundle)
    changed = bundle.manifest.model_copy(update={"variants": place_int8([_torch("cpu"), ORIGINAL], INT8_FILES)})
    assert find_original(replace(bundle, manifest=changed)) is ORIGINAL


def test_the_bytes_of_a_variant_are_those_of_its_files(colour_bundle: Path) -> None:
    bundle = read_bundle(colour_bundle)
    int8, float32 = (count_bytes(bundle, variant) for variant in bundle.manifest.variants)
    assert int8 == sum(len((colour_bundle / name).read_bytes()) for name in ("model.xml", "model.bin"))
    assert float32 == len((colour_bundle / "model.onnx").read_bytes())


def test_figures_have_four_digits_and_one_that_is_not_known_is_open() -> None:
    measured = record_figures(ORIGINAL, 2 / 3, 1.0)
    assert (measured.accuracy, measured.agreement, measured.files) == (0.6667, 1.0, ORIGINAL.files)
    again = record_figures(measured, None, 0.12344)
    assert (again.accuracy, again.agreement) == (None, 0.1234)
