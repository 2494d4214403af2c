"""A ResNet-50 in int8, of random weights and saying so, over V2 binary and gRPC through the Ingress."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from bundle_store import BundleStore
from callers import client, grpc, v2_binary, wait_for_grpc_route, wait_for_route
from PIL import Image
from sklearn.datasets import load_sample_image
from space import Space, container, read_manifest

from scripts.versions import ROOT

BUNDLE = ROOT / "build" / "bundles" / "resnet-50"
BUILD_SECONDS = 600


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "china.jpg"
    Image.fromarray(load_sample_image("china.jpg")).save(path, quality=90)
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """What `make bench-bundle` makes, less the variants that are not served here."""
    if not (BUNDLE / "model.yaml").is_file():
        subprocess.run(["make", "bench-bundle"], cwd=ROOT, check=True, timeout=BUILD_SECONDS)
    manifest = yaml.safe_load((BUNDLE / "model.yaml").read_text())
    manifest["variants"] = [each for each in manifest["variants"] if each["precision"] == "int8"]
    folder = tmp_path / "resnet-50"
    shutil.copytree(BUNDLE / "int8", folder / "int8")
    (folder / "model.yaml").write_text(yaml.safe_dump(manifest))
    return folder


@pytest.mark.timeout(BUILD_SECONDS + 300)
def test_v2_binary_and_grpc_agree(space: Space, store: BundleStore, bundle: Path, photo: Path) -> None:
    documents = read_manifest("resnet-50.yaml", space)
    container(documents)["env"][0]["value"] = store.put(bundle, "resnet-50")
    space.apply(*documents)
    space.wait_until_ready("resnet-50")
    wait_for_route(space, "resnet-50")
    wait_for_grpc_route(space, "resnet-50")
    with client(space) as http:
        card = http.get("/model/resnet-50").raise_for_status().json()
    assert card["trained"] is False
    assert card["variant"]["precision"] == "int8"
    labels = {door: door(space, "resnet-50", photo) for door in (v2_binary, grpc)}
    assert len(set(labels.values())) == 1
