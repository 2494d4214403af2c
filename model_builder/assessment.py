"""A bundle's variants on labelled pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_builder.album import check_pictures, decode_pictures, find_pictures
from model_builder.errors import BuildError
from model_builder.progress import say
from model_builder.provenance import name_path
from model_builder.scores import Scores, Share, recall, score
from model_builder.subject import Subject, infer_pictures
from model_builder.variants import name_variant
from model_server.bundle import Bundle
from model_server.cpu_limit import cpu_limit
from model_server.engine import runs_here
from model_server.imaging import Imaging
from model_server.manifest import Manifest, Variant

ALL = "all"


@dataclass(frozen=True, slots=True)
class Assessment:
    """The scores of each variant, by its name, such as ``int8 openvino cpu``, on ``images`` pictures of ``data``."""

    bundle: Bundle
    data: str
    images: int
    threads: int
    scores: dict[str, Scores]


def assess_bundle(bundle: Bundle, data: Path, variants: Sequence[Variant]) -> Assessment:
    """Measure variants on a folder with a subfolder for each label.

    Raises:
        BuildError: the folder is not labelled, or a picture can't be read.
        BundleError: an engine refuses a variant.
    """
    manifest, threads = bundle.manifest, cpu_limit()
    pictures = find_pictures(data, manifest.labels, "--data")
    if pictures.classes is None:
        raise BuildError(
            f"--data {data}: holds pictures, and nothing says what is on them; put them into a subfolder for each "
            f"label, named {manifest.labels[0]!r}, {manifest.labels[1]!r} and so on, or after the class number"
        )
    if manifest.trained_on is None:
        say("warning: the model was never trained: its labels mean nothing, and what is right is chance")
    imaging = Imaging(manifest.preprocessing)
    check_pictures(pictures, imaging)
    subjects = [Subject(manifest, v, [bundle.read(file) for file in v.files], threads) for v in variants]
    logits = infer_pictures(subjects, decode_pictures(pictures, imaging, "measuring on pictures"))
    scores = {s.name: score(of_subject, pictures.classes) for s, of_subject in zip(subjects, logits, strict=True)}
    return Assessment(bundle, name_path(data), len(pictures), threads, scores)


def choose_variants(manifest: Manifest, precision: str, engine: str, device: str) -> list[Variant]:
    """Return the variants that fit, ``all`` fitting any, and run on this machine; tell those that do not.

    Raises:
        BuildError: there are none.
    """
    wanted = (precision, engine, device)
    fitting = [
        variant
        for variant in manifest.variants
        if all(
            ask in (ALL, has)
            for ask, has in zip(wanted, (variant.precision, variant.engine, variant.device), strict=True)
        )
    ]
    running = [variant for variant in fitting if runs_here(variant)]
    for variant in fitting:
        if running and variant not in running:
            say(f"{name_variant(variant)} does not run here, for want of its engine's package or of a GPU: passed over")
    if not running:
        asked = f"--precision {precision} --engine {engine} --device {device}"
        reason = "this machine runs none of those that fit" if fitting else "no variant fits"
        there_are = ", ".join(map(name_variant, manifest.variants))
        raise BuildError(f"{asked}: {reason}; the bundle has: {there_are}")
    return running


def describe_assessment(assessment: Assessment) -> dict[str, Any]:
    """Return an assessment as JSON values; classes are numbers, and index ``labels``."""
    manifest = assessment.bundle.manifest
    return {
        "model": manifest.name,
        "revision": assessment.bundle.revision,
        "trained": manifest.trained_on is not None,
        "data": {"folder": assessment.data, "images": assessment.images},
        "threads": assessment.threads,
        "labels": manifest.labels,
        "variants": [
            {
                "variant": name,
                "top_1": _describe_share(scores.top_1),
                "top_5": _describe_share(scores.top_5) if scores.top_5 else None,
                "recall": {str(number): _describe_share(share) for number, share in recall(scores.confusion).items()},
                "confusion": scores.confusion.tolist(),
            }
            for name, scores in assessment.scores.items()
        ],
    }


def _describe_share(share: Share) -> dict[str, float]:
    return {
        "value": share.value,
        "right": share.right,
        "images": share.images,
        "wilson_low": share.low,
        "wilson_high": share.high,
    }
