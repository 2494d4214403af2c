"""A bundle in memory → a folder, whole or not at all."""

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from model_builder.errors import BuildError
from model_builder.variants import list_files
from model_server.bundle import Bundle, is_bundle, read_bundle, read_manifest
from model_server.errors import BundleError
from model_server.manifest import MANIFEST, NAME_PATTERN, BundleFile, Manifest


def describe(path: str, data: bytes) -> BundleFile:
    """Return a file's entry in ``model.yaml``."""
    return BundleFile(path=path, sha256=hashlib.sha256(data).hexdigest())


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the text of ``model.yaml``; the same manifest always gives the same bytes, and so the same revision."""
    document = manifest.model_dump(mode="json", exclude={"published"} if manifest.published is None else None)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None, width=160)
    return text.encode()


def check_name(name: str) -> None:
    """Refuse what KServe would not take as a model's name.

    Raises:
        BuildError: it says what would do.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise BuildError(
            f"--name {name!r}: a model's name is up to 48 of a-z, 0-9 and -, begins with a letter and does not end in -"
        )


def check_output(folder: Path) -> None:
    """Refuse a folder that a bundle can't be written to, before an hour is spent on making one.

    Raises:
        BuildError: it holds something other than a bundle, or can't be created.
    """
    if folder.exists() and not folder.is_dir():
        raise BuildError(f"--output {folder}: a file is there; give a folder that does not exist yet, or a bundle")
    if folder.is_dir() and any(folder.iterdir()):
        if not is_bundle(folder):
            raise BuildError(
                f"--output {folder}: the folder holds something other than a bundle (there is no {MANIFEST}), "
                "and writing would replace it; give a folder that does not exist yet, or a bundle"
            )
        strange = _list_strange_files(folder)
        if strange:
            more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""
            raise BuildError(
                f"--output {folder}: writing would remove {', '.join(strange[:5])}{more}, which {MANIFEST} does not "
                "list; move it away or give another folder"
            )
    nearest = next(parent for parent in folder.absolute().parents if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise BuildError(f"--output {folder}: {nearest} can't be written to; give another folder")


def _list_strange_files(folder: Path) -> list[str]:
    """Return what is in a bundle's folder and neither ``model.yaml`` nor listed there."""
    try:
        manifest = read_manifest(folder)
    except BundleError as error:
        raise BuildError(
            f"--output {folder}: its {MANIFEST} can't be read, so there is no telling what writing would remove; "
            f"remove the folder or give another one ({error})"
        ) from error
    listed = {MANIFEST} | {file.path for file in list_files(manifest)}
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted({path.relative_to(folder).as_posix() for path in found} - listed)


def check_nothing_is_lost(folder: Path) -> None:
    """Refuse a folder that holds a bundle already.

    Raises:
        BuildError: it does; the message says which.
        BundleError: it does, and its manifest can't be read.
    """
    if is_bundle(folder):
        there = read_manifest(folder)
        variants = ", ".join(f"{variant.precision} on {variant.engine}" for variant in there.variants)
        raise BuildError(
            f"--output {folder}: a bundle is there already ({there.architecture}, {there.weights}; {variants}); "
            "give another --output or --name, or --replace to put this one in its place"
        )


def write_bundle(manifest: Manifest, contents: Mapping[str, bytes], folder: Path) -> Bundle:
    """Write a bundle beside ``folder``, read it back as the server would, and only then put it there.

    ``contents`` are the bytes of the files that the manifest lists, by path.

    Raises:
        BuildError: ``check_output`` refuses the folder, or the disk does.
        BundleError: the server would refuse what was written.
    """
    check_output(folder)
    folder = folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
            made, replaced = Path(name, "made"), Path(name, "replaced")
            for path, data in {**contents, MANIFEST: encode_manifest(manifest)}.items():
                target = made / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            read_bundle(made)
            _swap(made, folder, replaced)
    except OSError as error:
        raise BuildError(f"--output {folder}: {error.strerror or error}; nothing was changed") from error
    return read_bundle(folder)


def _swap(made: Path, folder: Path, replaced: Path) -> None:
    """Put one folder in the place of another, or leave that as it was; ``replaced`` is where it goes."""
    if not folder.exists():
        made.rename(folder)
        return
    try:
        folder.rename(replaced)
        made.rename(folder)
    except BaseException:  # an interrupt as well, behind either line: what is left in `replaced` is about to be removed
        if not folder.exists():
            replaced.rename(folder)
        raise
