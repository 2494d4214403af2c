"""Pictures of nothing, for want of others: smooth blobs of colour that differ more than noise does."""

import numpy as np
from PIL import Image

from model_server.types import UInt8Array

BLOBS = 6
"""Along each side."""


def draw_pictures(count: int, size: int, seed: int) -> UInt8Array:
    """Return UINT8 ``[count, size, size, 3]``, the same for the same seed."""
    grids = np.random.default_rng(seed).integers(0, 256, (count, BLOBS, BLOBS, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(g).resize((size, size), Image.Resampling.BICUBIC)) for g in grids])
