"""A model's card: what it is, how well it does, and pictures to try it with."""

from typing import Any

from model_server.errors import ModelNotFound
from model_server.predictor import VisionModel

MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


def describe_card(model: VisionModel) -> dict[str, Any]:
    """Return the card as JSON values; accuracies are top-1, 0 to 1, on ``evaluation``'s images."""
    manifest, variant = model.bundle.manifest, model.variant
    return {
        "model": model.name,
        "revision": model.signature.version,
        "ready": model.ready,
        "architecture": manifest.architecture,
        "weights": manifest.weights,
        "trained": manifest.trained_on is not None,
        "trained_on": manifest.trained_on.model_dump() if manifest.trained_on else None,
        "evaluation": manifest.evaluation.model_dump() if manifest.evaluation else None,
        "variant": {
            "precision": variant.precision,
            "engine": variant.engine,
            "device": variant.device,
            "accuracy": variant.accuracy,
            "agreement": variant.agreement,
        },
        "input_size": manifest.preprocessing.crop,
        "labels": manifest.labels,
        "labels_source": manifest.labels_source,
        "samples": [
            {"path": f"/model/{model.name}/samples/{number}", "label": sample.label}
            for number, sample in enumerate(manifest.samples)
        ],
    }


def sample_bytes(model: VisionModel, number: int) -> tuple[bytes, str]:
    """Return a sample image and its media type.

    Raises:
        ModelNotFound: there is no sample of that number.
    """
    samples = model.bundle.manifest.samples
    if number >= len(samples):
        raise ModelNotFound(f"model {model.name!r} has no sample {number}; it has {len(samples)}, from 0 up")
    path = samples[number].path
    suffix = path[path.rfind(".") :].lower()
    return model.samples[number], MEDIA_TYPES.get(suffix, "application/octet-stream")
