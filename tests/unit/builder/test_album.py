import os
from pathlib import Path

import numpy as np
import pytest
from albums import paint, write

from model_builder.album import check_pictures, decode_pictures, find_pictures
from model_builder.errors import BuildError
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing

LABELS = ["red", "green", "blue", "sea green", "7", "crane", "crane"]
IMAGING = Imaging(Preprocessing(resize=16, crop=16, mean=[0.0] * 3, std=[1.0] * 3))
RED = paint("red")


def test_a_flat_folder_has_no_labels_and_the_order_of_its_names(tmp_path: Path) -> None:
    write(tmp_path, {"b.PNG": RED, "a.jpeg": paint("red", "JPEG"), "c.webp": paint("red", "WEBP"), ".hidden": b""})
    found = find_pictures(tmp_path, LABELS, "--data")
    assert [file.name for file in found.files] == ["a.jpeg", "b.PNG", "c.webp"]
    assert found.classes is None


def test_subfolders_are_labels_or_class_numbers_and_a_label_that_is_a_number_is_the_label(tmp_path: Path) -> None:
    write(tmp_path, {"green/1.png": RED, "0/1.png": RED, "7/1.png": RED, "005/1.png": RED, "sea green/1.png": RED})
    found = find_pictures(tmp_path, LABELS, "--data")
    assert found.classes is not None
    by_folder = dict(zip([file.parent.name for file in found.files], found.classes.tolist(), strict=True))
    assert by_folder == {"green": 1, "0": 0, "7": 4, "005": 5, "sea green": 3}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"gren/1.png": RED}, "'gren' is no label; did you mean 'green'"),
        ({"RED/1.png": RED}, "'RED' is no label; did you mean 'red'"),
        ({"zebra/1.png": RED}, "one of the model's 7 labels, or a class number from 0 to 6:\n  'zebra' is no label"),
        ({"8/1.png": RED}, "'8' is no class number of this model"),
        ({"crane/1.png": RED}, "'crane' is the label of the classes 5, 6; name the folder by its number"),
        ({"red/more/1.png": RED}, "red/more is a folder inside a label's folder"),
        ({"red/1.png": RED, "1.png": RED}, "holds pictures (1.png, …) beside folders (red, …)"),
        ({}, "holds no pictures; give a folder that holds JPEG, PNG or WebP files"),
        ({"red/notes.txt": b""}, "holds no pictures"),
    ],
)
def test_what_can_only_be_guessed_is_refused(files: dict[str, bytes], message: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError) as refusal:
        find_pictures(write(tmp_path, files), LABELS, "--data")
    assert str(refusal.value).startswith(f"--data {tmp_path}: ")
    assert message in str(refusal.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"--data .*none: no such folder"):
        find_pictures(tmp_path / "none", LABELS, "--data")


def test_of_many_unknown_folders_five_are_named(tmp_path: Path) -> None:
    write(tmp_path, {f"animal-{number}/1.png": RED for number in range(7)})
    with pytest.raises(BuildError, match=r"'animal-4' is no label\n  and 2 more$"):
        find_pictures(tmp_path, LABELS, "--data")


def test_other_files_are_passed_over_with_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {"1.png": RED, "2.gif": RED, "labels.csv": b""})
    assert len(find_pictures(tmp_path, LABELS, "--data")) == 1
    said = capsys.readouterr().err
    assert "passed over" in said
    assert "2.gif" in said
    assert "labels.csv" in said


def test_pictures_that_cant_be_read_are_all_counted_and_the_first_named(tmp_path: Path) -> None:
    write(tmp_path, {"good.png": RED} | {f"bad-{number}.png": RED[:40] for number in range(7)})
    (tmp_path / "broken-link.png").symlink_to("nowhere")
    pictures = find_pictures(tmp_path, LABELS, "--data")
    with pytest.raises(BuildError) as refusal:
        check_pictures(pictures, IMAGING)
    lines = str(refusal.value).splitlines()
    assert lines[0].startswith("--data: 8 of 9 pictures can't be read")
    assert [line.split(":")[0].rpartition("/")[2] for line in lines[1:6]] == [f"bad-{n}.png" for n in range(5)]
    assert lines[6] == "  and 3 more"
    with pytest.raises(BuildError, match="can't be read"):
        list(decode_pictures(pictures, IMAGING, "decoding"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(BuildError, match=r"pipe\.png: not a regular file"):
        check_pictures(find_pictures(tmp_path, LABELS, "--data"), IMAGING)


def test_pixels_come_in_batches_in_the_order_of_the_files(tmp_path: Path) -> None:
    write(tmp_path, {f"{number:02}.png": paint("blue", seed=number) for number in range(40)})
    batches = list(decode_pictures(find_pictures(tmp_path, LABELS, "--data"), IMAGING, "decoding"))
    assert [batch.shape for batch in batches] == [(32, 16, 16, 3), (8, 16, 16, 3)]
    blues = np.concatenate(batches)[:, 0, 0, 2]
    np.testing.assert_array_equal(blues, [255 * (200 + number) // 255 for number in range(40)])
