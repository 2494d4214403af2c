import json
import shutil
from pathlib import Path

import pytest
from bundles import write_colour_bundle

from model_builder.__main__ import main

SHIPPED = Path(__file__).parents[3] / "models/digits"


def test_the_card_of_the_digits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(SHIPPED)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in (
        "model digits revision",
        "architecture digits-resnet weights digits-seed-0",
        "trained on scikit-learn digits, training 80% (1437 images)",
        "measured on scikit-learn digits, held-out 20% (360 images)",
        "the shorter side is resized to 32 pixels (bilinear), the middle 32 x 32 is kept",
        "labels 10: 0, 1, 2, 3, 4, 5, …",
        "samples 10: samples/0-0.png (0)",
        "made by python -m model_builder train digits --seed 0 --epochs 30",
        "precision engine device size accuracy agreement runs here int8 openvino cpu",
        "float32 onnxruntime cpu",
    ):
        assert part in text


def test_what_was_never_trained_or_measured_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published = {"data_set": "ImageNet-1K", "top_1": 0.80858, "top_5": 0.95434, "source": "torchvision"}
    bundle = write_colour_bundle(tmp_path / "colours", published=published)
    assert main(["inspect", str(bundle)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "trained on never trained: its labels mean nothing" in text
    assert "published top-1 80.86%, top-5 95.43% on ImageNet-1K, says torchvision; not measured here" in text
    assert "measured on nothing" in text
    assert "labels 3: red, green, blue labels from" in text
    assert text.endswith("- - yes")


def test_a_variant_for_another_machine_does_not_run_here(
    colour_bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("model_builder.card.runs_here", lambda variant: variant.engine == "openvino")
    assert main(["inspect", str(colour_bundle)]) == 0
    int8, float32 = capsys.readouterr().out.splitlines()[-2:]
    assert int8.endswith("yes")
    assert float32.endswith("no")


def test_json_is_the_manifest_and_more(colour_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(colour_bundle), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["labels"] == ["red", "green", "blue"]
    assert len(document["revision"]) == 64
    for variant in document["variants"]:
        assert variant["runs_here"] is True
        assert variant["bytes"] == sum((colour_bundle / file["path"]).stat().st_size for file in variant["files"])


def test_a_corrupt_bundle_is_one_line_and_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = shutil.copytree(SHIPPED, tmp_path / "digits")
    (bundle / "int8/model.bin").write_bytes(b"torn")
    assert main(["inspect", str(bundle)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"vision-builder: {bundle}/int8/model.bin: its sha256 is ")
    assert said.err.count("\n") == 1
