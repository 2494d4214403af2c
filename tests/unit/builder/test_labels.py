from pathlib import Path

import pytest

from model_builder.errors import BuildError
from model_builder.labels import read_labels


def test_a_label_a_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffcat\r\n größte Katze \r\n猫\r\n".encode())
    assert read_labels(path) == ["cat", "größte Katze", "猫"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cat\n\ndog\n", "line 2 is blank"),
        (b"cat\ndog\n\n", "line 3 is blank"),
        (b"", "line 1 is blank"),
        (b"cat\nK\xe4fer\n", "line 2 is not UTF-8"),
    ],
)
def test_a_line_that_is_no_label_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(BuildError, match=f"--labels .*labels.txt: {message}"):
        read_labels(tmp_path / "labels.txt")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"--labels .*labels\.txt: No such file"):
        read_labels(tmp_path / "labels.txt")


def test_a_label_of_two_classes_is_kept_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("crane\ndog\n crane\n")
    assert read_labels(file) == ["crane", "dog", "crane"]
    assert "line 3 repeats line 1, 'crane'" in capsys.readouterr().err
