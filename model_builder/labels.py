"""A file of labels, one a line."""

from pathlib import Path

from model_builder.errors import BuildError
from model_builder.progress import say


def read_labels(path: Path) -> list[str]:
    """Return the lines of a UTF-8 file, without the spaces around them.

    A label that two lines share is told and kept: ImageNet itself has two cranes, a bird and a machine.

    Raises:
        BuildError: a line is blank, or the file can't be read.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BuildError(f"--labels {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BuildError(f"--labels {path}: line {line} is not UTF-8; save the file as UTF-8") from error
    labels: list[str] = []
    first: dict[str, int] = {}
    for number, raw in enumerate(text.removesuffix("\n").split("\n"), 1):
        label = raw.strip()
        if not label:
            raise BuildError(f"--labels {path}: line {number} is blank; give one label a line, one line a class")
        if label in first:
            say(f"--labels {path}: line {number} repeats line {first[label]}, {label!r}: answers won't tell them apart")
        first.setdefault(label, number)
        labels.append(label)
    return labels
