"""A folder of pictures, flat or with a subfolder for each label, and the pixels in it."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model_builder.errors import BuildError
from model_builder.progress import say, tell
from model_server.cpu_limit import cpu_limit
from model_server.errors import InvalidInput
from model_server.imaging import Imaging
from model_server.types import Int64Array, UInt8Array

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
KINDS = "JPEG, PNG or WebP files (.jpg, .jpeg, .png, .webp)"
NAMED = 5
"""How many of many files a message names."""
BATCH_IMAGES = 32


@dataclass(frozen=True, slots=True)
class Pictures:
    """N files and, where they are labelled, the class of each: INT64 ``[N]``. ``option`` is where they came from."""

    option: str
    files: tuple[Path, ...]
    classes: Int64Array | None

    def __len__(self) -> int:
        return len(self.files)

    def take(self, numbers: Int64Array) -> "Pictures":
        """Return those with these numbers, in this order."""
        classes = None if self.classes is None else self.classes[numbers]
        return Pictures(self.option, tuple(self.files[number] for number in numbers), classes)


def find_pictures(folder: Path, labels: Sequence[str], option: str) -> Pictures:
    """List the pictures of a folder, sorted by name; a subfolder is named after a label, or a class number from 0 up.

    Hidden files are passed over in silence, other files that are no pictures by their suffix with a word.

    Args:
        folder: holds either pictures or subfolders of pictures.
        labels: the model's; a subfolder that is a label and a number is the label.
        option: begins every message.

    Raises:
        BuildError: there are no pictures, or pictures beside subfolders, or a subfolder that names no class or two.
    """
    where = f"{option} {folder}"
    if not folder.is_dir():
        raise BuildError(f"{where}: no such folder; give one that holds {KINDS}")
    inside = _list(folder)
    folders = [path for path in inside if path.is_dir()]
    flat = _keep_pictures([path for path in inside if not path.is_dir()])
    if flat and folders:
        raise BuildError(
            f"{where}: holds pictures ({flat[0].name}, …) beside folders ({folders[0].name}, …); give one that holds "
            "pictures alone, or one folder per label alone"
        )
    if folders:
        files, classes = _read_labelled(folders, labels, where)
        found = Pictures(option, tuple(files), np.array(classes, np.int64))
    else:
        found = Pictures(option, tuple(flat), None)
    if not found.files:
        raise BuildError(f"{where}: holds no pictures; give a folder that holds {KINDS}")
    return found


def check_pictures(pictures: Pictures, imaging: Imaging) -> None:
    """Decode every picture once, so that one that can't be read is found before anything that takes long.

    Raises:
        BuildError: some can't be read; the message names the first.
    """
    refused = []
    for batch in _decode(tell(pictures.files, "reading pictures"), imaging):
        refused += [reason for reason in batch if isinstance(reason, str)]
    _refuse(pictures, refused)


def decode_pictures(pictures: Pictures, imaging: Imaging, doing: str) -> Iterator[UInt8Array]:
    """Yield the pictures as the server would see them, in batches of UINT8 ``[up to 32, S, S, 3]``.

    Raises:
        BuildError: one can't be read.
    """
    for batch in _decode(tell(pictures.files, doing), imaging):
        _refuse(pictures, [reason for reason in batch if isinstance(reason, str)])
        yield np.stack([pixels for pixels in batch if not isinstance(pixels, str)])


def _decode(files: Iterator[Path], imaging: Imaging) -> Iterator[list[UInt8Array | str]]:
    with ThreadPoolExecutor(cpu_limit(), thread_name_prefix="imaging") as pool:
        batch: list[Path] = []
        for file in files:
            batch.append(file)
            if len(batch) == BATCH_IMAGES:
                yield list(pool.map(_decode_file, batch, [imaging] * len(batch)))
                batch = []
        if batch:
            yield list(pool.map(_decode_file, batch, [imaging] * len(batch)))


def _decode_file(file: Path, imaging: Imaging) -> UInt8Array | str:
    """Return the pixels, or why there are none."""
    if file.exists() and not file.is_file():
        return f"{file}: not a regular file"  # a pipe has no end, nor has a device
    try:
        return imaging.decode(file.read_bytes())
    except InvalidInput as error:
        return f"{file}: {error.message}"
    except OSError as error:
        return f"{file}: {error.strerror or error}"


def _refuse(pictures: Pictures, refused: list[str]) -> None:
    if refused:
        raise BuildError(
            f"{pictures.option}: {len(refused)} of {len(pictures)} pictures can't be read; mend them or take them "
            "out:\n  " + "\n  ".join(_first(refused))
        )


def _list(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _keep_pictures(files: list[Path]) -> list[Path]:
    others = [file for file in files if file.suffix.lower() not in SUFFIXES]
    if others:
        say(f"passed over, for they are no {KINDS}: {', '.join(_first([str(file) for file in others]))}")
    return [file for file in files if file.suffix.lower() in SUFFIXES]


def _read_labelled(folders: list[Path], labels: Sequence[str], where: str) -> tuple[list[Path], list[int]]:
    find_class = _class_finder(labels)
    unknown: list[str] = []
    files: list[Path] = []
    classes: list[int] = []
    for folder in folders:
        number = find_class(folder.name)
        if isinstance(number, str):
            unknown.append(f"{folder.name!r} {number}")
            continue
        inside = _list(folder)
        if deeper := next((path for path in inside if path.is_dir()), None):
            raise BuildError(f"{where}: {deeper} is a folder inside a label's folder; put its pictures one level up")
        kept = _keep_pictures(inside)
        files += kept
        classes += [number] * len(kept)
    if unknown:
        raise BuildError(
            f"{where}: each subfolder must be one of the model's {len(labels)} labels, or a class number from 0 to "
            f"{len(labels) - 1}:\n  " + "\n  ".join(_first(unknown))
        )
    return files, classes


def _class_finder(labels: Sequence[str]) -> Callable[[str], int | str]:
    """Return what tells a name's class, or why it has none."""
    numbers: dict[str, list[int]] = {}
    for number, label in enumerate(labels):
        numbers.setdefault(label, []).append(number)
    spellings = {label.lower(): label for label in labels}

    def find_class(name: str) -> int | str:
        found = numbers.get(name, [])
        if len(found) > 1:
            return f"is the label of the classes {', '.join(map(str, found))}; name the folder by its number"
        if found:
            return found[0]
        if re.fullmatch(r"[0-9]{1,9}", name):
            return int(name) if int(name) < len(labels) else "is no class number of this model"
        near = [repr(spellings[match]) for match in difflib.get_close_matches(name.lower(), spellings)]
        return "is no label" + (f"; did you mean {' or '.join(near)}?" if near else "")

    return find_class


def _first(lines: list[str]) -> list[str]:
    return lines[:NAMED] + ([f"and {len(lines) - NAMED} more"] if len(lines) > NAMED else [])
