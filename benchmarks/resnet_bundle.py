"""A bundle of ResNet-50, float32 and int8, with random weights, as its card says: only its speed means anything.

make bench-bundle
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

BUILD = Path("build/bundles")
BUNDLE, FLOAT32, CROPS = BUILD / "resnet-50", BUILD / "resnet-50-float32", BUILD / "crops"
ARCHITECTURE, CLASSES, SIZE, QUALITY = "resnet50", 1000, 224, 90
CROPS_OF_EACH = 100


def build_bundle(classes: int = CLASSES) -> Path:
    """Make it with the builder's own commands, unless it is there, and return its folder."""
    bundle, float32 = (folder if classes == CLASSES else Path(f"{folder}-{classes}") for folder in (BUNDLE, FLOAT32))
    if (bundle / "model.yaml").is_file():
        return bundle
    write_crops()
    names = ["--name", bundle.name, "--classes", str(classes)]
    exported = ["export", ARCHITECTURE, "--weights", "random", "--seed", "0", *names, "--output", str(float32)]
    quantized = ["quantize", str(float32), "--calibration", str(CROPS), "--output", str(bundle)]
    for command in (exported, quantized):
        subprocess.run([sys.executable, "-m", "model_builder", *command], check=True)
    return bundle


def write_crops() -> None:
    """Write pieces of scikit-learn's two photographs, to calibrate with."""
    CROPS.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for photo, pixels in enumerate(load_sample_images().images):
        height, width, _ = pixels.shape
        for number in range(CROPS_OF_EACH):
            top, left = random.integers(0, height - SIZE), random.integers(0, width - SIZE)
            piece = Image.fromarray(pixels[top : top + SIZE, left : left + SIZE])
            piece.save(CROPS / f"{photo}-{number:03}.jpg", quality=QUALITY)


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m benchmarks.resnet_bundle", description=(__doc__ or "").splitlines()[0]
    ).parse_args()
    build_bundle()
