"""Bundles: what is read, and everything that is refused before any of it runs."""

import hashlib
import io
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from model_server.bundle import read_bundle
from model_server.errors import BundleError


@pytest.fixture
def folder(colour_bundle: Path, tmp_path: Path) -> Path:
    """A bundle of the test's own, to break."""
    return Path(shutil.copytree(colour_bundle, tmp_path / "bundle"))


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "model.yaml"
    document = yaml.safe_load(path.read_text())
    change(document)
    path.write_text(yaml.safe_dump(document))


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def test_a_sound_bundle_is_read_whole(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert bundle.manifest.labels == ["red", "green", "blue"]
    assert bundle.revision == hashlib.sha256((folder / "model.yaml").read_bytes()).hexdigest()
    assert bundle.version == bundle.revision[:12]
    assert bundle.read(bundle.manifest.variants[1].files[0]) == (folder / "model.onnx").read_bytes()


def test_a_file_that_changes_after_it_was_verified_is_not_handed_out(folder: Path) -> None:
    bundle = read_bundle(folder)
    (folder / "model.onnx").write_bytes(b"other")
    with pytest.raises(BundleError, match=r"model\.onnx: its sha256"):
        bundle.read(bundle.manifest.variants[1].files[0])


def test_links_inside_the_bundle_are_fine(folder: Path) -> None:
    """So a ConfigMap or a projected volume mounts its files."""
    (folder / "..data").mkdir()
    (folder / "model.onnx").rename(folder / "..data/model.onnx")
    (folder / "model.onnx").symlink_to("..data/model.onnx")
    assert read_bundle(folder).manifest.name == "colours"


REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda f: (f / "model.yaml").unlink(), r"model\.yaml: No such file"),
    "not YAML": (lambda f: (f / "model.yaml").write_text("a: [1"), "not valid YAML"),
    "not a mapping": (lambda f: (f / "model.yaml").write_text("- a"), "the document = "),
    "a huge manifest": (lambda f: (f / "model.yaml").write_bytes(b"#" * (9 << 20)), "at most 8388608 are read"),
    "an unknown field": (lambda f: edit(f, lambda d: d.update(colour=1)), "colour = 1: is not a field of model.yaml"),
    "an unknown nested field": (lambda f: edit(f, lambda d: d["variants"][0].update(fast=1)), r"variants\.0\.fast"),
    "a key that stands twice": (
        lambda f: append(f / "model.yaml", "labels: [a, b, c]\n"),
        "not valid YAML: labels is given twice",
    ),
    "an alias": (lambda f: append(f / "model.yaml", "x: &a [1]\ny: *a\n"), r"aliases \(\*name\) are not"),
    "not a number": (lambda f: edit(f, lambda d: d["preprocessing"].update(mean=[float("nan")] * 3)), "mean"),
    "a missing field": (lambda f: edit(f, lambda d: d.pop("labels")), "labels is missing"),
    "another format": (lambda f: edit(f, lambda d: d.update(format=2)), "format = 2"),
    "a bad name": (lambda f: edit(f, lambda d: d.update(name="Cats")), "name = 'Cats'"),
    "a name of 49 characters": (lambda f: edit(f, lambda d: d.update(name="a" * 49)), "name = 'aaa"),
    "a crop that does not fit": (lambda f: edit(f, lambda d: d["preprocessing"].update(crop=99)), "crop 99 is larger"),
    "a number as text": (lambda f: edit(f, lambda d: d["preprocessing"].update(crop="16")), r"crop = '16'"),
    "no variant": (lambda f: edit(f, lambda d: d.update(variants=[])), r"variants = \[\]"),
    "another engine's files": (lambda f: edit(f, lambda d: d["variants"][0].update(engine="onnxruntime")), "takes one"),
    "an absolute path": (
        lambda f: edit(f, lambda d: d["variants"][1]["files"][0].update(path="/etc/model.onnx")),
        "'/etc/model.onnx' is not a path inside the bundle",
    ),
    "a path that climbs out": (
        lambda f: edit(f, lambda d: d["variants"][1]["files"][0].update(path="../model.onnx")),
        r"'\.\./model\.onnx' is not a path inside",
    ),
    "a digest that does not match": (
        lambda f: (f / "model.onnx").write_bytes(b"other"),
        r"model\.onnx: its sha256 is d9298a10.*model\.yaml says",
    ),
    "a truncated file": (
        lambda f: (f / "model.bin").write_bytes((f / "model.bin").read_bytes()[:-1]),
        r"model\.bin: its sha256",
    ),
    "a missing file": (lambda f: (f / "model.xml").unlink(), r"model\.xml: No such file"),
    "a sample that was changed": (lambda f: (f / "samples/red-0.png").write_bytes(b"x"), r"red-0\.png: its sha256"),
}


@pytest.mark.parametrize(("spoil", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_not_as_the_manifest_says_is_refused(
    folder: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(folder)
    with pytest.raises(BundleError, match=message) as refusal:
        read_bundle(folder)
    assert str(folder) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_link_that_leaves_the_bundle_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "model.onnx").rename(tmp_path / "outside.onnx")
    (folder / "model.onnx").symlink_to("../outside.onnx")
    with pytest.raises(BundleError, match=r"model\.onnx: a link to .*outside"):
        read_bundle(folder)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize(
    "name",
    ["model.onnx", "extra.pkl", "weights.PTH", "notes.txt", "samples/more.png", "torch.zip", "pytorch_model.bin"],
)
def test_a_pickle_is_refused_and_does_not_run(folder: Path, tmp_path: Path, name: str) -> None:
    marker = tmp_path / "it-ran"
    data = pickle.dumps(Trap(marker))
    if name.endswith((".zip", "pytorch_model.bin")):  # torch.save's format
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("archive/data.pkl", data)
        data = buffer.getvalue()
    (folder / name).write_bytes(data)
    if name == "model.onnx":  # a manifest that vouches for it does not help
        digest = hashlib.sha256(data).hexdigest()
        edit(folder, lambda d: d["variants"][1]["files"][0].update(sha256=digest))
    with pytest.raises(BundleError, match="a pickle can run code"):
        read_bundle(folder)
    assert not marker.exists()


def test_files_that_the_manifest_does_not_list_are_passed_over(folder: Path) -> None:
    (folder / "lost+found").mkdir()
    (folder / "README.md").write_text("how this was made")
    assert read_bundle(folder).manifest.name == "colours"
