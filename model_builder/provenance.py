"""How a bundle says what made it: the command, without what only one machine knows."""

import shlex
from pathlib import Path

QUANTIZE = "python -m model_builder quantize"
_NEXT = "; "


def name_path(path: Path) -> str:
    """Return a relative path as it was given, and of an absolute one the last part: the rest is one machine's own."""
    return path.name if path.is_absolute() else str(path)


def name_folder(folder: Path) -> str:
    """Return what a folder is called, for ``.`` as well."""
    return folder.resolve().name


def record_quantizing(made_by: str, bundle: Path, calibration: Path, images: int, seed: int) -> str:
    """Return ``made_by`` with the command that quantized after it; one that did so before no longer counts."""
    steps = [step for step in made_by.split(_NEXT) if not step.startswith(QUANTIZE)]
    options = {"--calibration": name_path(calibration), "--calibration-images": str(images), "--seed": str(seed)}
    words = [name_path(bundle), *(word for option in options.items() for word in option)]
    return _NEXT.join([*steps, f"{QUANTIZE} {shlex.join(words)}"])
