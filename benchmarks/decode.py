"""A 12-megapixel JPEG: decoded and resized as the server does it, and by Pillow in full, side by side.

    .venv/dev/bin/python -m benchmarks.decode

The photograph is scikit-learn's, enlarged; grain is added, because an enlarged photograph compresses too well.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable
from functools import partial

from PIL import Image
from sklearn.datasets import load_sample_image
from torchvision.transforms import CenterCrop, Compose, Resize

from benchmarks import photographs
from benchmarks.arguments import add_rounds
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing

ROUNDS = 15
QUALITIES = (75, 85, 95)
torchvision = Compose([Resize(256), CenterCrop(224)])


def photograph(quality: int) -> bytes:
    """Return a JPEG of 4000 by 3000 pixels."""
    large = Image.fromarray(load_sample_image("china.jpg")).resize(photographs.LARGE_SIZE, Image.Resampling.BICUBIC)
    (grainy,) = photographs.add_grain([large])
    return photographs.encode(grainy, "JPEG", quality)


def decode_in_full(data: bytes) -> object:
    """Decode every pixel with Pillow, and resize and crop as torchvision does."""
    return torchvision(Image.open(io.BytesIO(data)).convert("RGB"))


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main(arguments: list[str] | None = None) -> None:
    """Print the median of each and of their ratio, pair by pair."""
    rounds = build_parser().parse_args(arguments).rounds
    imaging = Imaging(Preprocessing(resize=256, crop=224, mean=[0.5] * 3, std=[0.5] * 3))
    print(f"{'JPEG':>22} {'ours ms':>8} {'Pillow ms':>10} {'ours / Pillow':>14}")
    for quality in QUALITIES:
        data = photograph(quality)
        imaging.decode(data)
        decode = partial(imaging.decode, data)
        pairs = [(seconds(decode), seconds(partial(decode_in_full, data))) for _ in range(rounds)]
        ours, pillow = (statistics.median(side) * 1e3 for side in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"{f'quality {quality}, {len(data) / 1e6:.1f} MB':>22} {ours:8.1f} {pillow:10.1f} {ratio:14.2f}")


def build_parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    text = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decode", description=text, allow_abbrev=False)
    add_rounds(parser, ROUNDS)
    return parser


if __name__ == "__main__":
    main()
