"""What a person wants to know of a bundle."""

from dataclasses import dataclass
from typing import Any

from model_builder.table import format_bytes, format_share
from model_builder.variants import count_bytes
from model_server.bundle import Bundle
from model_server.engine import runs_here
from model_server.manifest import Manifest, Preprocessing, TrainingData, Variant

FIRST_LABELS = 6


@dataclass(frozen=True, slots=True)
class Card:
    """``fields`` by their names, in order; ``variants`` are rows of cells under a head."""

    fields: dict[str, str]
    variants: list[list[str]]


def write_card(bundle: Bundle) -> Card:
    """Return a bundle's card."""
    manifest = bundle.manifest
    trained = _name(manifest.trained_on) if manifest.trained_on else "never trained: its labels mean nothing"
    samples = ", ".join(f"{sample.path} ({sample.label})" for sample in manifest.samples[:FIRST_LABELS])
    fields = {
        "model": manifest.name,
        "revision": bundle.revision,
        "architecture": manifest.architecture,
        "weights": manifest.weights,
        "trained on": trained,
        "published": _describe_published(manifest),
        "measured on": _name(manifest.evaluation) if manifest.evaluation else "nothing",
        "input": _describe_preprocessing(manifest.preprocessing),
        "labels": f"{len(manifest.labels)}: {_begin(', '.join(manifest.labels[:FIRST_LABELS]), len(manifest.labels))}",
        "labels from": manifest.labels_source,
        "samples": f"{len(manifest.samples)}" + (f": {_begin(samples, len(manifest.samples))}" if samples else ""),
        "made by": manifest.made_by,
    }
    head = ["precision", "engine", "device", "size", "accuracy", "agreement", "runs here"]
    return Card(fields, [head, *(_describe_variant(bundle, variant) for variant in manifest.variants)])


def describe_bundle(bundle: Bundle) -> dict[str, Any]:
    """Return what ``model.yaml`` says, the revision, and each variant's bytes and whether it runs here; JSON values."""
    document = bundle.manifest.model_dump(mode="json")
    for variant, described in zip(bundle.manifest.variants, document["variants"], strict=True):
        described |= {"bytes": count_bytes(bundle, variant), "runs_here": runs_here(variant)}
    return {"revision": bundle.revision, **document}


def _describe_variant(bundle: Bundle, variant: Variant) -> list[str]:
    return [
        variant.precision,
        variant.engine,
        variant.device,
        format_bytes(count_bytes(bundle, variant)),
        format_share(variant.accuracy),
        format_share(variant.agreement),
        "yes" if runs_here(variant) else "no",
    ]


def _describe_published(manifest: Manifest) -> str:
    published = manifest.published
    if published is None:
        return "no accuracy"
    top_1, top_5 = format_share(published.top_1), format_share(published.top_5)
    return f"top-1 {top_1}, top-5 {top_5} on {published.data_set}, says {published.source}; not measured here"


def _describe_preprocessing(preprocessing: Preprocessing) -> str:
    resized = f"{preprocessing.resize} pixels ({preprocessing.interpolation})"
    kept = f"{preprocessing.crop} x {preprocessing.crop}"
    mean, std = _list(preprocessing.mean), _list(preprocessing.std)
    return (
        f"the shorter side is resized to {resized}, the middle {kept} is kept, and the channels R, G, B, as 0 to 1, "
        f"have {mean} subtracted and are divided by {std}"
    )


def _name(data: TrainingData) -> str:
    return data.name if data.images is None else f"{data.name} ({data.images} images)"


def _list(numbers: list[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


def _begin(text: str, count: int) -> str:
    return text if count <= FIRST_LABELS else f"{text}, …"
