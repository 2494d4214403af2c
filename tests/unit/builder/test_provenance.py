from pathlib import Path

import pytest

from model_builder.provenance import name_folder, name_path, record_quantizing


def test_an_absolute_path_is_one_machines_own_and_a_relative_one_is_kept() -> None:
    assert name_path(Path("/home/ann/photos")) == "photos"
    assert name_path(Path("photos/validation")) == "photos/validation"


def test_the_folder_that_one_stands_in_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert name_folder(Path()) == tmp_path.name


def test_the_last_command_that_quantized_follows_the_first_that_made_it() -> None:
    first = record_quantizing("ours", Path("models/cats"), Path("my photos"), 300, 0)
    assert first == (
        "ours; python -m model_builder quantize models/cats --calibration 'my photos' --calibration-images 300 --seed 0"
    )
    assert record_quantizing(first, Path("models/cats"), Path("others"), 20, 1) == (
        "ours; python -m model_builder quantize models/cats --calibration others --calibration-images 20 --seed 1"
    )
