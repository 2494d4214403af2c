"""Every peer with every number of workers and every batch: it starts, answers as our engine does, and ends.

Its pixels are Pillow's, nearly ours. It logs no line for every request: ours is measured so too.

python -m benchmarks.peers.check [FOLDER …]
"""

import argparse
import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.peers.keeper import descendants
from benchmarks.peers.peer import NEWCOMER, PEERS, Peer
from benchmarks.peers.running import PeerError, ask, install, log_of, running
from benchmarks.resnet_bundle import BUNDLE
from model_server.bundle import read_bundle
from model_server.engine import Engine, load_engine
from model_server.imaging import Imaging
from model_server.manifest import select_variant

POOL, IMAGES, LEAST_RIGHT = 192, 16, 14
"""In a batch an engine may add up in another order than alone, and find another class for an image or two."""
MOST_LEVELS = 3
"""By how many levels of 255 a pixel of the peers' may differ from ours."""
ENGINES = {"int8": "openvino", "float32": "torch"}
AT_ONCE = 8
SIZE, QUALITY = (500, 334), 90


def main() -> int:
    """Return 1 if a peer failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.check", description=__doc__.splitlines()[0])
    names = [peer.folder for peer in (*PEERS, NEWCOMER)]
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help=", ".join(names))
    folders = parser.parse_args().folders or names
    images = choose(list(draw_patterns()))
    if (levels := compare_pixels(images)) > MOST_LEVELS:
        print(f"the peers' pixels differ from ours by up to {levels} levels of 255", file=sys.stderr)
        return 1
    expected = {precision: classify(images, precision) for precision in ("int8", "float32")}
    failed = 0
    for peer in (*PEERS, NEWCOMER):
        for workers, batch in peer.configurations if peer.folder in folders else ():
            begin = time.monotonic()
            try:
                told = check(peer, workers, batch, images, expected[peer.precision])
            except PeerError as error:
                failed += 1
                told = f"FAILED: {error}"
            print(f"{peer!s:28} workers {workers}, batch {batch}: {told}, {time.monotonic() - begin:.0f} s", flush=True)
    return min(failed, 1)


def draw_patterns() -> Iterator[bytes]:
    """Yield JPEGs of coloured cells, coarse and fine, that pass into each other."""
    random = np.random.default_rng(0)
    for _ in range(POOL):
        count = random.integers(2, 24)
        cells = Image.fromarray(random.integers(0, 256, (count, count, 3)).astype(np.uint8))
        buffer = io.BytesIO()
        cells.resize(SIZE, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=QUALITY)
        yield buffer.getvalue()


def choose(images: Sequence[bytes]) -> list[bytes]:
    """Return images of the two commonest classes, those that are the least in doubt.

    A network of random weights knows few classes, and in int8 the last bit of a pixel here and there moves its logits
    by a third of their standard deviation. So each image is judged three times, twice with noise.
    """
    imaging, engine = load("int8")
    random = np.random.default_rng(1)
    rows = np.stack([imaging.decode(image) for image in images])
    noisy = [rows, *(np.clip(rows + random.integers(-1, 2, rows.shape), 0, 255).astype(np.uint8) for _ in range(2))]
    logits = np.stack([np.concatenate([engine.infer(row[np.newaxis]) for row in each]) for each in noisy])
    classes = logits[0].argmax(axis=1)
    of_class = np.take_along_axis(logits, classes[np.newaxis, :, np.newaxis], axis=2)[:, :, 0]
    np.put_along_axis(logits, classes[np.newaxis, :, np.newaxis], -np.inf, axis=2)
    certainty = (of_class - logits.max(axis=2)).min(axis=0)
    chosen: list[int] = []
    for number in np.argsort(-np.bincount(classes))[:2]:
        candidates = np.flatnonzero(classes == number)
        chosen += candidates[np.argsort(-certainty[candidates])][: IMAGES // 2].tolist()
    return [images[index] for index in chosen]


def compare_pixels(images: Sequence[bytes]) -> int:
    """Return by how many levels the peers' pixels differ from ours at most."""
    from benchmarks.peers.resnet import decode  # it reads the bundle, which need not be there for --help

    imaging, _ = load("int8")
    return max(int(np.abs(imaging.decode(image).astype(int) - decode(image)).max()) for image in images)


def classify(images: Sequence[bytes], precision: str) -> list[int]:
    """Return what our engine makes of the images, decoded as the peers do, without a server around it."""
    from benchmarks.peers.resnet import decode

    _, engine = load(precision)
    return [int(engine.infer(decode(image)[np.newaxis].copy()).argmax()) for image in images]


def load(precision: str) -> tuple[Imaging, Engine]:
    """Return the first two and the last of our own steps, with the bundle's variant of that precision."""
    bundle = read_bundle(BUNDLE)
    variant = select_variant(bundle.manifest, precision=precision, device="cpu", engine=ENGINES[precision])
    files = [bundle.read(file) for file in variant.files]
    return Imaging(bundle.manifest.preprocessing), load_engine(bundle.manifest, variant, files, threads=1)


def check(peer: Peer, workers: int, batch: int, images: Sequence[bytes], expected: Sequence[int]) -> str:
    """Return what is to be said of a peer that is as it should be.

    Raises:
        PeerError: it is not.
    """
    with running(peer, install(peer), workers, batch, images[0]) as server:
        processes = descendants(server.pid) | {server.pid}
        lines = count_lines(peer)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            classes = list(threads.map(lambda image: ask(peer, server.http, image), images))
        right = sum(found == wanted for found, wanted in zip(classes, expected, strict=True))
        if right < LEAST_RIGHT:
            raise PeerError(f"{peer} has {right} of {len(images)} right: {classes}, and not {list(expected)}")
        processes |= descendants(server.pid)
    if (more := count_lines(peer) - lines) >= len(images):  # now, for some come late
        raise PeerError(f"{peer} logged {more} lines for {len(images)} requests: {os.path.relpath(log_of(peer))}")
    if left := [process for process in processes if Path(f"/proc/{process}").exists()]:
        raise PeerError(f"{peer} left processes behind: {left}")
    return f"{right} of {len(images)} right, {len(processes) - 1} processes"


def count_lines(peer: Peer) -> int:
    """Return how many a peer has printed."""
    return log_of(peer).read_bytes().count(b"\n")


if __name__ == "__main__":
    sys.exit(main())
