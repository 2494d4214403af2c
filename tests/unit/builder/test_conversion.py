"""Trained weights, in either kind of file, become one bundle that the server can run."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
import yaml
from torch import nn

from model_builder import conversion
from model_builder.__main__ import main
from model_builder.digits import LABELS, PREPROCESSING, Split, encode_png
from model_builder.random_weights import draw_model
from model_builder.subject import Subject
from model_builder.training import Course, infer, train_network
from model_server.bundle import read_bundle
from model_server.imaging import Imaging

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def network(split: Split, imaging: Imaging) -> nn.Module:
    """The digits' network, after one epoch."""
    return train_network("digits-resnet", split, imaging, Course(epochs=1, seed=0))


@pytest.fixture(scope="module")
def files(network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its weights as ``.pth`` and as ``.safetensors``, and its labels."""
    folder = tmp_path_factory.mktemp("files")
    torch.save(network.state_dict(), folder / "digits.pth")
    safetensors.torch.save_file(network.state_dict(), folder / "digits.safetensors")
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    return folder


@pytest.fixture(scope="module")
def bundles(files: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What the command makes of the one and of the other."""
    folder = tmp_path_factory.mktemp("bundles")
    for suffix in ("pth", "safetensors"):
        assert main([*export(files, f"digits.{suffix}"), "--output", str(folder / suffix)]) == 0
    return [folder / "pth", folder / "safetensors"]


def export(files: Path, name: str, *options: str) -> list[str]:
    arguments = ["export", "digits-resnet", "--weights", str(files / name), "--labels", str(files / "labels.txt")]
    return [*arguments, "--preprocessing-of", str(ROOT / "models/digits"), *options]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_either_file_gives_the_same_bundle_but_for_the_line_that_names_it(bundles: list[Path]) -> None:
    of_pth, of_safetensors = (contents(bundle) for bundle in bundles)
    line = "made_by: python -m model_builder export digits-resnet --weights digits.{} --labels labels.txt"
    assert line.format("pth").encode() in of_pth["model.yaml"]
    assert line.format("safetensors").encode() in of_safetensors["model.yaml"]
    of_pth["model.yaml"] = of_pth["model.yaml"].replace(b"--weights digits.pth", b"--weights digits.safetensors")
    # YAML's text is compared folded, because a line that is too long is broken where its words end
    unfolded = [yaml.safe_load(files.pop("model.yaml")) for files in (of_pth, of_safetensors)]
    assert list(unfolded[0].items()) == list(unfolded[1].items())
    assert of_pth == of_safetensors
    assert set(of_pth) == {"float32/model.onnx", "float32/model.safetensors"}


def test_the_manifest_says_all_that_is_known(bundles: list[Path]) -> None:
    manifest = read_bundle(bundles[0]).manifest
    assert (manifest.name, manifest.labels, manifest.labels_source) == ("digits-resnet", LABELS, "labels.txt")
    assert manifest.preprocessing == PREPROCESSING
    assert manifest.trained_on is not None  # null would say that nobody trained it
    assert (manifest.trained_on.name, manifest.trained_on.images) == ("not stated", None)
    assert manifest.weights == f"sha256-{manifest.variants[0].files[0].sha256}"
    assert [(v.precision, v.engine, v.device, [f.path for f in v.files]) for v in manifest.variants] == [
        ("float16", "torch", "cuda", ["float32/model.safetensors"]),
        ("float32", "onnxruntime", "cpu", ["float32/model.onnx"]),
        ("float32", "torch", "cpu", ["float32/model.safetensors"]),
    ]


def test_every_cpu_variant_serves_what_was_trained(
    bundles: list[Path], network: nn.Module, split: Split, imaging: Imaging
) -> None:
    pictures = split.held_out.pictures[:50]
    expected = infer(network, pictures, imaging)
    assert np.ptp(expected) > 1
    pixels = np.stack([imaging.decode(encode_png(picture)) for picture in pictures])
    for folder in bundles:
        bundle = read_bundle(folder)
        for variant in bundle.manifest.variants[1:]:
            subject = Subject(bundle.manifest, variant, [bundle.read(file) for file in variant.files], threads=1)
            np.testing.assert_allclose(subject.infer(pixels), expected, atol=1e-4)


def test_the_same_command_makes_the_same_bundle(files: Path, bundles: list[Path], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "model_builder", *export(files, "digits.pth"), "--output", str(tmp_path / "again")]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert contents(tmp_path / "again") == contents(bundles[0])
    assert [line.split(" ")[0] for line in run.stderr.splitlines()] == ["loading", "exporting", "comparing"]
    lines = run.stdout.splitlines()
    assert lines[0] == f"{tmp_path / 'again'}: revision {read_bundle(bundles[0]).version}, 10 labels"
    assert [line.split()[:3] for line in lines[2:6]] == [
        ["precision", "engine", "device"],
        ["float16", "torch", "cuda"],
        ["float32", "onnxruntime", "cpu"],
        ["float32", "torch", "cpu"],
    ]
    assert [line.rsplit(maxsplit=1)[0] for line in lines[8:]] == ["ONNX Runtime", "OpenVINO"]
    assert "\n  " not in run.stdout


def test_what_is_said_is_written(files: Path, tmp_path: Path) -> None:
    said = ["--trained-on", "our digits", "--name", "sevens", "--gpu-precision", "bfloat16"]
    assert main([*export(files, "digits.pth", *said), "--output", str(tmp_path / "sevens")]) == 0
    manifest = read_bundle(tmp_path / "sevens").manifest
    assert manifest.trained_on is not None
    assert (manifest.name, manifest.trained_on.name) == ("sevens", "our digits")
    assert manifest.variants[0].precision == "bfloat16"
    assert manifest.made_by.endswith(
        "--preprocessing-of digits --trained-on 'our digits' --name sevens --gpu-precision bfloat16"
    )


@pytest.mark.parametrize("labels", [LABELS[:9], [*LABELS, "ten"]])
def test_labels_of_another_number_are_refused(
    files: Path, tmp_path: Path, labels: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few.txt").write_text("\n".join(labels))
    arguments = export(files, "digits.pth", "--output", str(tmp_path / "out"))
    assert main([str(tmp_path / "few.txt") if a.endswith("labels.txt") else a for a in arguments]) == 1
    assert f"{len(labels)} labels, but the head in {files}/digits.pth has 10 classes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_network_too_large_for_onnx_is_written_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(conversion, "MAX_ONNX_BYTES", 100_000)
    model = draw_model("digits-resnet", seed=0, classes=10, preprocessing=PREPROCESSING)
    made = conversion.convert(model, tmp_path / "large", name="large", made_by="a test", gpu_precision="float16")
    assert [(variant.engine, variant.device) for variant in made.bundle.manifest.variants] == [
        ("torch", "cuda"),
        ("torch", "cpu"),
    ]
    assert made.differences == []
    assert "more than an ONNX file may hold (2 GiB)" in capsys.readouterr().err
