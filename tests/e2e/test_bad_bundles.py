"""A bundle that is not what its manifest says never serves, and the log says which file is wrong."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from bundle_store import BundleStore
from callers import client
from space import Space
from test_downloads import DIGITS, downloaded

from scripts.api import wait_for

LOG_SECONDS = 30


def flip_a_bit(bundle: Path) -> str:
    file = bundle / "int8" / "model.bin"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return "int8/model.bin"


def cut_short(bundle: Path) -> str:
    file = bundle / "float32" / "model.onnx"
    file.write_bytes(file.read_bytes()[:-1])
    return "float32/model.onnx"


def take_the_manifest(bundle: Path) -> str:
    (bundle / "model.yaml").unlink()
    return "model.yaml"


def not_logged(space: Space, words: str) -> str | None:
    """Return None when the server, or the one before it, has said those words."""
    (pod,) = space.pods("digits")
    logs = [space.log(pod, previous=previous) for previous in (False, True)]
    return None if any(words in log for log in logs) else f"{words} is not in {logs}"


@pytest.mark.parametrize("damage", [flip_a_bit, cut_short, take_the_manifest])
def test_it_never_becomes_ready(
    space: Space, store: BundleStore, tmp_path: Path, damage: Callable[[Path], str]
) -> None:
    bundle = tmp_path / "digits"
    shutil.copytree(DIGITS, bundle)
    file = damage(bundle)
    space.apply(*downloaded(space, store.put(bundle, "digits")))
    space.wait_for_restarts("digits", "kserve-container")
    wait_for(lambda: not_logged(space, file), LOG_SECONDS, "see what is kept under build/e2e")
    assert not space.is_ready("digits")
    with client(space) as http:
        assert http.get("/v2/models/digits/ready").status_code in (404, 502, 503)
