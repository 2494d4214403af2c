"""The digits, from the data set to a bundle."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model_builder.album import BATCH_IMAGES
from model_builder.digits import LABELS, LABELS_SOURCE, PREPROCESSING, LabelledPictures, Split, encode_png, load_split
from model_builder.export import export_onnx
from model_builder.progress import say
from model_builder.quantization import quantize_openvino
from model_builder.scores import agreement, score
from model_builder.subject import Subject, infer_pictures
from model_builder.training import Course, train_network
from model_builder.variants import BIN, ONNX, XML, make_original, place_int8, record_figures
from model_builder.writing import check_output, describe, write_bundle
from model_server.bundle import Bundle
from model_server.imaging import Imaging
from model_server.manifest import DataSet, Manifest, Sample
from model_server.types import Float32Array, Int64Array, UInt8Array

ARCHITECTURE = "digits-resnet"
DATA_SET = "scikit-learn digits"
CALIBRATION_IMAGES = 300
THREADS = 1


def train_digits(output: Path, *, seed: int, epochs: int) -> Bundle:
    """Train, export, quantize, measure and write the digits; return the bundle as it is read back.

    The held-out part of the data set is the same whatever the seed, so that any bundle can be measured on it.

    Raises:
        BuildError: the bundle can't be written to ``output``; this is found out before the training.
        BundleError: what was made is not a bundle that the server would load.
    """
    check_output(output)
    split, imaging = load_split(), Imaging(PREPROCESSING)
    say(f"training {ARCHITECTURE} on {len(split.train)} images")
    network = train_network(ARCHITECTURE, split, imaging, Course(epochs, seed))
    say("exporting to ONNX")
    onnx = export_onnx(network, PREPROCESSING.crop)
    say(f"quantizing to int8, calibrated on {CALIBRATION_IMAGES} of the training images")
    xml, weights = quantize_openvino(onnx, PREPROCESSING, _calibration(split, imaging))
    contents = {ONNX: onnx, XML: xml, BIN: weights}
    manifest = Manifest(
        format=1,
        name="digits",
        architecture=ARCHITECTURE,
        weights=f"digits-seed-{seed}",
        trained_on=DataSet(name=f"{DATA_SET}, training 80%", images=len(split.train)),
        made_by=f"python -m model_builder train digits --seed {seed} --epochs {epochs}",
        preprocessing=PREPROCESSING,
        labels=LABELS,
        labels_source=LABELS_SOURCE,
        evaluation=DataSet(name=f"{DATA_SET}, held-out 20%", images=len(split.held_out)),
        variants=place_int8([make_original(describe(ONNX, onnx))], [describe(XML, xml), describe(BIN, weights)]),
    )
    say(f"measuring both variants on {len(split.held_out)} held-out images")
    return write_bundle(*_measured(manifest, contents, split.held_out), output)


def _calibration(split: Split, imaging: Imaging) -> UInt8Array:
    """Return every other picture inverted, because the network takes both: UINT8 ``[N, S, S, 3]``."""
    pictures = split.train.pictures[:CALIBRATION_IMAGES].copy()
    pictures[1::2] = 255 - pictures[1::2]
    return np.stack([imaging.decode(encode_png(picture)) for picture in pictures])


def _measured(
    manifest: Manifest, contents: dict[str, bytes], held_out: LabelledPictures
) -> tuple[Manifest, dict[str, bytes]]:
    """Return both with the accuracy of the variants, their agreement with float32, and with samples."""
    images = [encode_png(picture) for picture in held_out.pictures]
    subjects = [
        Subject(manifest, variant, [contents[file.path] for file in variant.files], THREADS)
        for variant in manifest.variants
    ]
    pixels = np.stack([subjects[0].imaging.decode(image) for image in images])
    logits = infer_pictures(subjects, np.split(pixels, range(BATCH_IMAGES, len(pixels), BATCH_IMAGES)))
    _, float32 = logits
    samples = choose_samples(held_out.labels, logits, images)
    changes = {
        "samples": [sample for sample, _ in samples],
        "variants": [
            record_figures(variant, score(of_variant, held_out.labels).top_1.value, agreement(of_variant, float32))
            for variant, of_variant in zip(manifest.variants, logits, strict=True)
        ],
    }
    return manifest.model_copy(update=changes), contents | {sample.path: data for sample, data in samples}


def choose_samples(
    truth: Int64Array, logits: Sequence[Float32Array], images: Sequence[bytes]
) -> list[tuple[Sample, bytes]]:
    """Return for every label the image that all variants are surest of; a label that none gets right is left out.

    Such an image is a good specimen: what a person should see first.

    Args:
        truth: the right classes, INT64 ``[N]``.
        logits: of each variant, FP32 ``[N, classes]``.
        images: the N encoded images.
    """
    margins = np.min([_margins(of_variant, truth) for of_variant in logits], axis=0)
    chosen = []
    for number, label in enumerate(LABELS):
        margins_of_label = np.where(truth == number, margins, -np.inf)
        best = int(margins_of_label.argmax())
        if margins_of_label[best] > 0:
            file = describe(f"samples/{label}-0.png", images[best])
            chosen.append((Sample(path=file.path, sha256=file.sha256, label=label), images[best]))
    return chosen


def _margins(logits: Float32Array, truth: Int64Array) -> Float32Array:
    """Return by how much each right class leads the best of the others: FP32 ``[N]``."""
    rows = np.arange(len(truth))
    others = logits.copy()
    others[rows, truth] = -np.inf
    margins: Float32Array = logits[rows, truth] - others.max(axis=1)
    return margins
