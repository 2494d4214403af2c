"""The same digit, written a little differently."""

import math

import numpy as np
from PIL import Image

from model_server.types import UInt8Array

MAX_DEGREES = 10.0
MAX_SHIFT = 0.08
"""Of the picture's side."""
MIN_SCALE, MAX_SCALE = 0.6, 1.1
"""A person who draws a digit leaves a margin; the data set has none."""
INVERTED_SHARE = 0.3
"""How many pictures become black on white."""


def augment(picture: UInt8Array, random: np.random.Generator) -> UInt8Array:
    """Return UINT8 ``[H, W]`` rotated, scaled and shifted at random, sometimes inverted; what comes in is black."""
    height, width = picture.shape
    angle = math.radians(random.uniform(-MAX_DEGREES, MAX_DEGREES))
    scale = random.uniform(MIN_SCALE, MAX_SCALE)
    shift_x, shift_y = random.uniform(-MAX_SHIFT, MAX_SHIFT, 2) * (width, height)
    cos, sin = math.cos(angle) / scale, math.sin(angle) / scale
    centre_x, centre_y = width / 2, height / 2
    # Pillow wants where each pixel of the result comes from: the inverse of the movement, about the centre
    left = centre_x - cos * (centre_x + shift_x) - sin * (centre_y + shift_y)
    top = centre_y + sin * (centre_x + shift_x) - cos * (centre_y + shift_y)
    moved = Image.fromarray(picture).transform(
        (width, height),
        Image.Transform.AFFINE,
        (cos, sin, left, -sin, cos, top),
        Image.Resampling.BILINEAR,
        fillcolor=0,
    )
    inverted = random.random() < INVERTED_SHARE
    return np.asarray(moved) ^ np.uint8(255 if inverted else 0)
