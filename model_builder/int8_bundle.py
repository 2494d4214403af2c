"""A bundle → the same bundle with an int8 variant, and everything that runs here measured on the same pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model_builder.album import Pictures, check_pictures, decode_pictures, find_pictures
from model_builder.calibration import split_pictures
from model_builder.errors import BuildError
from model_builder.progress import say
from model_builder.provenance import name_folder, record_quantizing
from model_builder.quantization import quantize_openvino
from model_builder.scores import Share, agreement, count_share
from model_builder.subject import Subject, infer_pictures, time_subjects
from model_builder.variants import (
    BIN,
    XML,
    find_original,
    is_int8,
    list_files,
    name_variant,
    place_int8,
    record_figures,
)
from model_builder.writing import check_output, describe, write_bundle
from model_server.bundle import Bundle, read_bundle
from model_server.cpu_limit import cpu_limit
from model_server.engine import runs_here
from model_server.excerpt import condense
from model_server.imaging import Imaging
from model_server.manifest import DataSet, Preprocessing, Variant

FEW_IMAGES = 100
"""Fewer tell the ranges of the activations only roughly."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: ``most_images`` of the folder ``calibration`` at most calibrate, the others measure."""

    bundle: Path
    calibration: Path
    output: Path
    most_images: int
    seed: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one variant.

    ``milliseconds`` are the median from one image's pixels to its logits. ``agreement`` is the share of the pictures
    on which the original names the same class, ``logit_difference`` the mean absolute difference to its logits;
    ``accuracy`` is top-1, None where the pictures are not labelled.
    """

    variant: Variant
    name: str
    bytes: int
    milliseconds: float
    agreement: float
    logit_difference: float
    accuracy: Share | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The bundle as it was written, and the figures: the original's first, int8's next, then those of the others."""

    bundle: Bundle
    figures: list[Figures]
    calibrated: int
    measured: int
    threads: int


def quantize_bundle(order: Order) -> Outcome:
    """Quantize a bundle's ONNX float32 variant, measure, and write the bundle with the result.

    Raises:
        BuildError: the pictures, the bundle's variants or the output make it impossible.
        BundleError: the bundle is refused, or an engine refuses it.
    """
    bundle = read_bundle(order.bundle)
    check_output(order.output)
    if bundle.folder in order.output.resolve().parents:
        raise BuildError(f"--output {order.output}: lies inside the bundle {order.bundle}; give a folder beside it")
    manifest, original = bundle.manifest, find_original(bundle)
    pictures = find_pictures(order.calibration, manifest.labels, "--calibration")
    calibrating, measuring = split_pictures(pictures, order.most_images, order.seed)
    _foretell(bundle, calibrating, measuring)
    check_pictures(pictures, Imaging(manifest.preprocessing))

    contents = {file.path: bundle.read(file) for file in list_files(manifest)}
    onnx = original.files[0].path
    contents[XML], contents[BIN] = _quantize(onnx, contents[onnx], manifest.preprocessing, calibrating)
    variants = place_int8(manifest.variants, [describe(XML, contents[XML]), describe(BIN, contents[BIN])])

    threads = cpu_limit()
    subjects = [
        Subject(manifest, variant, [contents[file.path] for file in variant.files], threads)
        for variant in sorted(variants, key=lambda v: (v is not original, not is_int8(v)))
        if runs_here(variant)
    ]
    figures = _measure(subjects, measuring)
    evaluated = f"{name_folder(order.calibration)}, without the {len(calibrating)} that calibrated int8"
    changes = {
        "made_by": record_quantizing(manifest.made_by, order.bundle, order.calibration, order.most_images, order.seed),
        "evaluation": DataSet(name=evaluated, images=len(measuring)),
        "variants": [_fill_in(variant, figures) for variant in variants],
    }
    changed = manifest.model_copy(update=changes)
    listed = {file.path: contents[file.path] for file in list_files(changed)}
    return Outcome(write_bundle(changed, listed, order.output), figures, len(calibrating), len(measuring), threads)


def _foretell(bundle: Bundle, calibrating: Pictures, measuring: Pictures) -> None:
    """Say what will be done, and what the person may not expect."""
    manifest = bundle.manifest
    say(f"{len(calibrating)} pictures calibrate, the {len(measuring)} others measure")
    if len(calibrating) < FEW_IMAGES:
        say(f"warning: {len(calibrating)} pictures calibrate; {FEW_IMAGES} or more tell the activations' ranges better")
    if manifest.trained_on is None:
        say(
            "warning: the model was never trained: its labels mean nothing, and agreement on random weights says little"
        )
    if any(is_int8(variant) for variant in manifest.variants):
        say("the bundle has an int8 variant already, which is replaced")
    if manifest.evaluation:
        say(f"figures measured on {manifest.evaluation.name!r} are replaced, for they can't be compared with new ones")
    for variant in manifest.variants:
        if not runs_here(variant):
            say(f"{name_variant(variant)} does not run here: its figures are left open")


def _quantize(path: str, model: bytes, preprocessing: Preprocessing, calibrating: Pictures) -> tuple[bytes, bytes]:
    batches = list(decode_pictures(calibrating, Imaging(preprocessing), "decoding what calibrates"))
    say("quantizing to int8")
    try:
        return quantize_openvino(model, preprocessing, np.concatenate(batches))
    except Exception as error:  # OpenVINO and NNCF have exceptions of their own
        raise BuildError(f"{path}: OpenVINO and NNCF can't quantize it: {condense(error)}") from error


def _measure(subjects: list[Subject], pictures: Pictures) -> list[Figures]:
    imaging = subjects[0].imaging
    logits = infer_pictures(subjects, decode_pictures(pictures, imaging, "measuring on pictures"))
    say("timing single images")
    first = np.stack([imaging.decode(pictures.files[0].read_bytes())])
    return [
        Figures(
            variant=subject.variant,
            name=subject.name,
            bytes=subject.bytes,
            milliseconds=milliseconds,
            agreement=agreement(of_subject, logits[0]),
            logit_difference=float(np.abs(of_subject - logits[0]).mean()),
            accuracy=None if pictures.classes is None else count_share(of_subject.argmax(axis=1) == pictures.classes),
        )
        for subject, of_subject, milliseconds in zip(subjects, logits, time_subjects(subjects, first), strict=True)
    ]


def _fill_in(variant: Variant, figures: list[Figures]) -> Variant:
    """Return the variant with its figures; one that was not measured has none."""
    found = next((of_variant for of_variant in figures if of_variant.variant is variant), None)
    if found is None:
        return record_figures(variant, None, None)
    return record_figures(variant, found.accuracy.value if found.accuracy else None, found.agreement)
