"""A bundle's variants: the one that int8 is made from, the place of the one that is made, and the figures of each."""

from collections.abc import Sequence

from model_builder.errors import BuildError
from model_server.bundle import Bundle
from model_server.manifest import BundleFile, Manifest, Variant

ONNX, XML, BIN = "float32/model.onnx", "int8/model.xml", "int8/model.bin"
"""Where a bundle holds the file of the one and the two of the other."""


def make_original(onnx: BundleFile) -> Variant:
    """Return the float32 variant of an ONNX file whose input is a tensor."""
    return Variant(precision="float32", engine="onnxruntime", device="cpu", inputs="tensor", files=[onnx])


def find_original(bundle: Bundle) -> Variant:
    """Return the ONNX float32 variant, which int8 is made from and agreement is measured against.

    Raises:
        BuildError: there is none.
    """
    for variant in bundle.manifest.variants:
        if (variant.precision, variant.engine, variant.inputs) == ("float32", "onnxruntime", "tensor"):
            return variant
    there_are = ", ".join(f"{v.precision} on {v.device} by {v.engine}" for v in bundle.manifest.variants)
    raise BuildError(
        f"{bundle.folder}: int8 is made from a float32 variant for onnxruntime (an .onnx file that takes a tensor), "
        f"and the bundle has none; it has: {there_are}. Export the model to ONNX first"
    )


def is_int8(variant: Variant) -> bool:
    """Tell whether a variant is of the kind that quantizing makes."""
    return (variant.precision, variant.engine) == ("int8", "openvino")


def place_int8(variants: Sequence[Variant], files: Sequence[BundleFile]) -> list[Variant]:
    """Return the variants with an int8 one of these files, in place of any that was there.

    It stands before the first that runs on CPUs, for the server takes the first that fits, and so after those for GPUs.
    """
    int8 = Variant(precision="int8", engine="openvino", device="cpu", inputs="pixels", files=list(files))
    kept = [variant for variant in variants if not is_int8(variant)]
    place = next(number for number, variant in enumerate(kept) if variant.device == "cpu")
    return [*kept[:place], int8, *kept[place:]]


def record_figures(variant: Variant, accuracy: float | None, agreement: float | None) -> Variant:
    """Return the variant with its figures, from 0 to 1, rounded to four digits; None is what was not measured."""
    figures = {"accuracy": accuracy, "agreement": agreement}
    return variant.model_copy(
        update={name: None if share is None else round(share, 4) for name, share in figures.items()}
    )


def name_variant(variant: Variant) -> str:
    """Return what a variant is called where there are several: ``int8 openvino cpu``."""
    return f"{variant.precision} {variant.engine} {variant.device}"


def count_bytes(bundle: Bundle, variant: Variant) -> int:
    """Return what a variant's files take together on the disk."""
    return sum((bundle.folder / file.path).stat().st_size for file in variant.files)


def list_files(manifest: Manifest) -> list[BundleFile]:
    """Return every file that a manifest lists."""
    return [*manifest.samples, *(file for variant in manifest.variants for file in variant.files)]
