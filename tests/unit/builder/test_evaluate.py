import json
from pathlib import Path
from typing import get_args

import pytest
from albums import paint, write, write_digits
from PIL import Image

from model_builder.__main__ import main
from model_builder.commands import evaluate as command
from model_builder.digits import Split
from model_server import manifest
from model_server.bundle import read_bundle

SHIPPED = Path(__file__).parents[3] / "models/digits"


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Four reds, three greens of which one is blue, and two blues that lie in the folder of red."""
    files = {f"red/{number}.png": paint("red", seed=number) for number in range(4)}
    files |= {f"green/{number}.png": paint("green", seed=number) for number in range(2)}
    files |= {"1/blue.png": paint("blue"), "0/blue.png": paint("blue", seed=1), "0/more.png": paint("blue", seed=2)}
    return write(tmp_path / "album", files)


def evaluate(*arguments: object) -> int:
    return main(["evaluate", *map(str, arguments)])


def test_the_choices_are_the_manifests() -> None:
    """They are written out in the command, so that --help need not import pydantic."""
    assert get_args(manifest.Precision) == command.PRECISIONS
    assert get_args(manifest.EngineName) == command.ENGINES
    assert get_args(manifest.Device) == command.DEVICES


def test_the_table_counts_what_is_right_and_what_is_mistaken_for_what(
    colour_bundle: Path, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_bundle(colour_bundle).revision
    assert evaluate(colour_bundle, "--data", album) == 0
    said = capsys.readouterr()
    lines = [line.split() for line in said.out.splitlines()]
    assert f"colours, revision {before[:12]}, on 9 pictures of album" in said.out
    assert ["int8", "openvino", "cpu", "66.67%", "(35.4", "to", "87.9)", "-"] in lines
    assert ["float32", "onnxruntime", "cpu", "66.67%", "(35.4", "to", "87.9)", "-"] in lines
    assert ["red", "6", "66.67%", "66.67%"] in lines
    assert ["green", "3", "66.67%", "66.67%"] in lines
    assert ["int8", "openvino", "cpu", "red", "blue", "2", "of", "6"] in lines
    assert ["int8", "openvino", "cpu", "green", "blue", "1", "of", "3"] in lines
    assert "never trained" in said.err
    assert read_bundle(colour_bundle).revision == before


def test_json_has_the_whole_matrix_and_leaves_stdout_to_it(
    colour_bundle: Path, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(colour_bundle, "--data", album, "--precision", "float32", "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["data"] == {"folder": "album", "images": 9}
    assert document["revision"] == read_bundle(colour_bundle).revision
    (variant,) = document["variants"]
    assert variant["variant"] == "float32 onnxruntime cpu"
    assert variant["confusion"] == [[4, 0, 2], [0, 2, 1], [0, 0, 0]]
    assert variant["top_1"]["right"] == 6
    assert variant["top_5"] is None
    assert set(variant["recall"]) == {"0", "1"}


def test_files_are_written_and_the_table_printed(
    split: Split, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    album = write_digits(tmp_path / "held-out", split, 40)
    document, plot = tmp_path / "digits.json", tmp_path / "digits.PNG"
    assert evaluate(SHIPPED, "--data", album, "--engine", "openvino", "--json", document, "--plot", plot) == 0
    assert json.loads(document.read_bytes())["variants"][0]["top_5"]["images"] == 40
    with Image.open(plot) as image:
        assert image.format == "PNG"
    assert "top-1 (95% interval)" in capsys.readouterr().out


def test_a_file_that_cant_be_written_costs_no_result(
    colour_bundle: Path, album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(colour_bundle, "--data", album, "--json", tmp_path) == 1  # a folder
    said = capsys.readouterr()
    assert "top-1 (95% interval)" in said.out
    assert f"--json {tmp_path}: Is a directory" in said.err


def test_where_nothing_is_mistaken_the_table_says_so(
    colour_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(colour_bundle, "--data", write(tmp_path, {"red/1.png": paint("red")})) == 0
    assert capsys.readouterr().out.endswith("mistaken most often:\n\nnothing at all\n")


def test_a_variant_that_does_not_run_here_is_passed_over_with_a_word(
    colour_bundle: Path, album: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("model_builder.assessment.runs_here", lambda variant: variant.precision == "float32")
    assert evaluate(colour_bundle, "--data", album) == 0
    said = capsys.readouterr()
    assert "int8 openvino cpu does not run here" in said.err
    assert "int8" not in said.out
    assert evaluate(colour_bundle, "--data", album, "--precision", "int8") == 1
    assert "this machine runs none of those that fit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--precision", "bfloat16"],
            "--precision bfloat16 --engine all --device all: no variant fits; the bundle has: ",
        ),
        (["--json", "nowhere/file.json"], "--json nowhere/file.json: there is no folder nowhere; make it first"),
        (["--plot", "nowhere/file.png"], "--plot nowhere/file.png: there is no folder nowhere; make it first"),
    ],
)
def test_what_cant_be_done_is_named_before_the_pictures_are_read(
    arguments: list[str], message: str, colour_bundle: Path, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(colour_bundle, "--data", album, *arguments) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "reading pictures" not in said


def test_pictures_without_labels_are_refused(
    colour_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(colour_bundle, "--data", write(tmp_path, {"1.png": paint("red")})) == 1
    assert "put them into a subfolder for each label, named 'red', 'green' and so on" in capsys.readouterr().err


def test_a_plot_of_another_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        evaluate("bundle", "--data", "album", "--plot", "plot.svg")
    assert exit_.value.code == 2
    assert "'plot.svg' does not end with .png" in capsys.readouterr().err
