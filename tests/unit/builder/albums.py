"""Folders of pictures for tests."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from bundles import COLOURS
from PIL import Image

from model_builder.digits import Split, encode_png


def write_digits(folder: Path, split: Split, count: int) -> Path:
    """Write the first ``count`` held-out digits, a subfolder for each label."""
    for number, (picture, label) in enumerate(
        zip(split.held_out.pictures[:count], split.held_out.labels[:count], strict=True)
    ):
        write(folder, {f"{label}/{number:03}.png": encode_png(picture)})
    return folder


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by their paths."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def paint(colour: str, kind: str = "PNG", seed: int = 0) -> bytes:
    """Return a picture of red, green or blue, a little darker than full, by the seed."""
    shade = np.array(COLOURS[colour]) * (200 + seed % 50) // 255
    file = io.BytesIO()
    Image.new("RGB", (20, 20), tuple(shade)).save(file, kind)
    return file.getvalue()
