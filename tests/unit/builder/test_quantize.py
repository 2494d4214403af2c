"""The whole command on a copy of the digits, which were trained."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from albums import paint, write, write_digits
from bundles import write_colour_bundle, write_quadrant_bundle

from model_builder.__main__ import main
from model_builder.digits import Split, encode_png
from model_server.bundle import Bundle, read_bundle

SHIPPED = Path(__file__).parents[3] / "models/digits"


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    return shutil.copytree(SHIPPED, tmp_path / "digits")


@pytest.fixture(scope="module")
def album(split: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_digits(tmp_path_factory.mktemp("album") / "held-out", split, 120)


def quantize(*arguments: object) -> int:
    return main(["quantize", *map(str, arguments)])


def test_int8_is_replaced_in_place_and_everything_else_stays(
    digits: Path, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_bundle(SHIPPED)
    assert quantize(digits, "--calibration", album) == 0
    after = read_bundle(digits)
    assert after.revision != before.revision
    assert [variant.precision for variant in after.manifest.variants] == ["int8", "float32"]
    for field in ("name", "trained_on", "labels", "samples", "preprocessing", "weights", "published"):
        assert getattr(after.manifest, field) == getattr(before.manifest, field)
    assert after.manifest.variants[1].files == before.manifest.variants[1].files
    said = capsys.readouterr()
    assert "60 pictures calibrate, the 60 others measure" in said.err
    assert "warning: 60 pictures calibrate; 100 or more" in said.err
    assert "has an int8 variant already, which is replaced" in said.err
    assert "figures measured on 'scikit-learn digits, held-out 20%' are replaced" in said.err
    assert "calibrating on pictures: 60" in said.err
    assert "never trained" not in said.err


def test_what_is_measured_stands_in_the_manifest_and_in_the_table(
    digits: Path, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quantize(digits, "--calibration", album, "--calibration-images", 20) == 0
    manifest = read_bundle(digits).manifest
    assert manifest.evaluation is not None
    assert (manifest.evaluation.name, manifest.evaluation.images) == (
        "held-out, without the 20 that calibrated int8",
        100,
    )
    int8, float32 = manifest.variants
    assert float32.agreement == 1.0
    for share in (int8.accuracy, int8.agreement, float32.accuracy):
        assert share is not None
        assert share >= 0.95
    head, before, after = capsys.readouterr().out.splitlines()[3:6]
    assert head.split()[:3] == ["variant", "size", "one"]
    assert "top-1 (95% interval)" in head
    assert before.split()[:4] == ["before", "float32", "onnxruntime", "cpu"]
    assert f"{100 * float32.accuracy:.2f}%" in before
    assert after.split()[:4] == ["after", "int8", "openvino", "cpu"]
    assert f"{100 * int8.agreement:.2f}%" in after


def test_it_says_how_it_was_made_without_the_machines_own_paths(digits: Path, album: Path) -> None:
    for seed in (1, 2):  # the second run's int8 replaces the first's
        assert quantize(digits, "--calibration", album, "--seed", seed) == 0
    assert read_bundle(digits).manifest.made_by == (
        "python -m model_builder train digits --seed 0 --epochs 30; python -m model_builder quantize digits "
        "--calibration held-out --calibration-images 300 --seed 2"
    )


def test_a_flat_folder_gives_agreement_and_no_accuracy_is_carried_over(
    digits: Path, split: Split, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = {f"{number}.png": encode_png(split.held_out.pictures[number]) for number in range(12)}
    assert quantize(digits, "--calibration", write(tmp_path / "flat", pictures)) == 0
    variants = read_bundle(digits).manifest.variants
    assert [variant.accuracy for variant in variants] == [None, None]
    assert variants[1].agreement == 1.0
    assert variants[0].agreement is not None
    assert "top-1" not in capsys.readouterr().out


def test_a_variant_that_does_not_run_here_stays_first_and_loses_figures_of_other_data(
    digits: Path, album: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def add_gpu(document: dict[str, list[dict[str, object]]]) -> None:
        file = {**document["variants"][0]["files"][1], "path": "gpu.safetensors"}  # type: ignore[index]
        gpu = {"precision": "float16", "engine": "torch", "device": "cuda", "inputs": "pixels", "files": [file]}
        document["variants"] = [{**gpu, "accuracy": 0.5, "agreement": 0.5}, document["variants"][1]]

    shutil.copy(digits / "int8/model.bin", digits / "gpu.safetensors")
    change(digits, add_gpu)
    monkeypatch.setattr("model_builder.int8_bundle.runs_here", lambda variant: variant.device == "cpu")
    output = digits.parent / "new"
    assert quantize(digits, "--calibration", album, "--output", output) == 0
    variants = read_bundle(output).manifest.variants
    assert [variant.precision for variant in variants] == ["float16", "int8", "float32"]
    assert (variants[0].accuracy, variants[0].agreement) == (None, None)
    assert "float16 torch cuda does not run here: its figures are left open" in capsys.readouterr().err
    assert [variant.precision for variant in read_bundle(digits).manifest.variants] == ["float16", "float32"]


def change(bundle: Path, alter: Callable[..., None]) -> Bundle:
    document = yaml.safe_load((bundle / "model.yaml").read_text())
    alter(document)
    (bundle / "model.yaml").write_text(yaml.safe_dump(document))
    return read_bundle(bundle)


def test_an_untrained_model_is_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = write_colour_bundle(tmp_path / "colours")
    album = write(tmp_path / "album", {f"{c}/{n}.png": paint(c, seed=n) for c in ("red", "blue") for n in range(4)})
    assert quantize(bundle, "--calibration", album, "--output", tmp_path / "new") == 0
    assert "never trained: its labels mean nothing, and agreement on random weights says little" in (
        capsys.readouterr().err
    )
    int8 = read_bundle(tmp_path / "new").manifest.variants[0]
    assert (int8.precision, int8.agreement, int8.accuracy) == ("int8", 1.0, 1.0)


def test_a_bundle_without_onnx_is_refused(tmp_path: Path, album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = write_quadrant_bundle(tmp_path / "quadrants")
    assert quantize(bundle, "--calibration", album, "--output", tmp_path / "new") == 1
    said = capsys.readouterr().err
    assert "int8 is made from a float32 variant for onnxruntime" in said
    assert "it has: int8 on cpu by openvino" in said
    assert not (tmp_path / "new").exists()


def test_an_unreadable_picture_is_found_before_quantizing_and_nothing_is_changed(
    digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"0/good.png": paint("red"), "1/good.png": paint("red"), "1/torn.png": paint("red")[:50]}
    assert quantize(digits, "--calibration", write(tmp_path / "album", files)) == 1
    said = capsys.readouterr().err
    assert "--calibration: 1 of 3 pictures can't be read" in said
    assert "1/torn.png: the PNG image is corrupt" in said
    assert "quantizing" not in said
    assert read_bundle(digits).revision == read_bundle(SHIPPED).revision


def test_a_corrupt_bundle_is_refused_as_the_server_refuses_it(
    digits: Path, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (digits / "float32/model.onnx").write_bytes(b"torn")
    assert quantize(digits, "--calibration", album) == 1
    assert f"vision-builder: {digits}/float32/model.onnx: its sha256 is" in capsys.readouterr().err


def test_a_folder_of_something_else_is_not_written_to(
    digits: Path, album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "thesis", {"thesis.tex": b""})
    assert quantize(digits, "--calibration", album, "--output", tmp_path / "thesis") == 1
    assert "thesis: the folder holds something other than a bundle" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "many", "10001"])
def test_a_bad_number_of_images_is_named(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        quantize("models/digits", "--calibration", "album", "--calibration-images", number)
    assert exit_.value.code == 2
    assert f"--calibration-images: '{number}' is not a whole number from 1 to 10000" in capsys.readouterr().err


def test_the_output_does_not_lie_inside_the_bundle(
    digits: Path, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quantize(digits, "--calibration", album, "--output", digits / "int8/again") == 1
    assert f"lies inside the bundle {digits}; give a folder beside it" in capsys.readouterr().err
    assert not (digits / "int8/again").exists()
