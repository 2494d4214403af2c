"""A network with its weights → a bundle, for every engine in float and for GPUs in half precision."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from model_builder.checkpoint import encode
from model_builder.comparison import Difference, compare_engines
from model_builder.export import export_onnx
from model_builder.model import Model
from model_builder.progress import say
from model_builder.variants import ONNX, make_original
from model_builder.writing import describe, write_bundle
from model_server.bundle import Bundle
from model_server.manifest import Manifest, Variant

WEIGHTS = "float32/model.safetensors"
MAX_ONNX_BYTES = 2**31 - 2**20
"""Protobuf's limit on a file is 2 GiB; the graph itself takes less than a MiB of it."""

GpuPrecision = Literal["float16", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """A bundle, and how far its engines are apart."""

    bundle: Bundle
    differences: list[Difference]


def convert(model: Model, output: Path, *, name: str, made_by: str, gpu_precision: GpuPrecision) -> Conversion:
    """Write a bundle and return it as it is read back.

    Its ONNX variant is left out where the file would be larger than protobuf allows.

    Raises:
        BuildError: the engines do not agree, or the bundle can't be written to ``output``.
        BundleError: what was made is not a bundle that the server would load.
    """
    contents = {WEIGHTS: encode(model.network)}
    if len(contents[WEIGHTS]) <= MAX_ONNX_BYTES:
        say("exporting to ONNX")
        contents[ONNX] = export_onnx(model.network, model.preprocessing.crop)
    else:
        say(
            f"{len(contents[WEIGHTS]) / 2**30:.1f} GiB of weights are more than an ONNX file may hold (2 GiB): the "
            "bundle gets torch's variants alone, and can't be quantized"
        )
    manifest = Manifest(
        format=1,
        name=name,
        architecture=model.architecture,
        weights=model.weights,
        trained_on=model.trained_on,
        made_by=made_by,
        preprocessing=model.preprocessing,
        labels=model.labels,
        labels_source=model.labels_source,
        published=model.published,
        variants=_variants(contents, gpu_precision),
    )
    say("comparing the engines")
    differences = compare_engines(manifest, contents)
    return Conversion(write_bundle(manifest, contents, output), differences)


def _variants(contents: dict[str, bytes], gpu_precision: GpuPrecision) -> list[Variant]:
    weights = [describe(WEIGHTS, contents[WEIGHTS])]
    gpu = Variant(precision=gpu_precision, engine="torch", device="cuda", inputs="pixels", files=weights)
    reference = Variant(precision="float32", engine="torch", device="cpu", inputs="pixels", files=weights)
    if ONNX not in contents:
        return [gpu, reference]
    return [gpu, make_original(describe(ONNX, contents[ONNX])), reference]
