"""OpenVINO's streams: each gives what the others do, and a network that is small gets one of one thread."""

from pathlib import Path

import numpy as np
import pytest

from model_server.engine import openvino
from model_server.engine.openvino import load


@pytest.fixture(scope="module")
def files() -> tuple[bytes, bytes]:
    folder = Path("models/digits/int8")
    return next(folder.glob("*.xml")).read_bytes(), next(folder.glob("*.bin")).read_bytes()


@pytest.mark.parametrize(("threads", "streams"), [(1, 0), (2, 2), (3, 3), (8, openvino.MAX_NARROW_STREAMS)])
def test_narrow_streams_give_what_the_wide_one_gives(
    files: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch, threads: int, streams: int
) -> None:
    monkeypatch.setattr(openvino, "SMALL_BYTES", 0)
    engine = load(*files, threads=threads)
    assert len(engine.narrow) == streams
    assert not engine.light
    rows = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    expected = engine.infer(rows)
    assert expected.shape == (3, 10)
    for each in engine.narrow:
        np.testing.assert_allclose(each.infer(rows), expected, atol=1e-4)


def test_a_small_network_has_no_narrow_streams(files: tuple[bytes, bytes]) -> None:
    engine = load(*files, threads=2)
    assert engine.light
    assert not engine.narrow
