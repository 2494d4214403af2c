"""A model bundle: a folder with ``model.yaml``, the weights of its variants and a few sample images.

Reading one verifies it whole, before any of it reaches an engine: every digest, no link that leaves the folder, no
absolute path, no field that nobody knows, and no pickle, because unpickling runs whatever the file says.
"""

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from model_server.errors import BundleError
from model_server.excerpt import shorten
from model_server.manifest import MANIFEST, BundleFile, Manifest

MAX_MANIFEST_BYTES = 8 << 20
PICKLE_SUFFIXES = {".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".dill"}


@dataclass(frozen=True)
class Bundle:
    """A verified bundle; what is in its files is read when it is needed, and verified again then."""

    folder: Path
    manifest: Manifest
    revision: str

    @property
    def version(self) -> str:
        """The first 12 digits of the revision: what V2 shows and every answer carries."""
        return self.revision[:12]

    def read(self, file: BundleFile) -> bytes:
        """Return the bytes of a file that the manifest lists.

        Raises:
            BundleError: they are not what its digest says.
        """
        data = _path_inside(self.folder, file.path).read_bytes()
        _compare(self.folder / file.path, hashlib.sha256(data).hexdigest(), file.sha256)
        return data


def is_bundle(folder: Path) -> bool:
    """Tell whether the folder is a bundle, rather than a folder of bundles."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> Manifest:
    """Read what ``model.yaml`` says, and nothing else of the bundle.

    Raises:
        BundleError: there is none, or it says something that it may not.
    """
    return _read_manifest(folder)[0]


def read_bundle(folder: Path) -> Bundle:
    """Read and verify a bundle.

    Raises:
        BundleError: anything at all is not as ``model.yaml`` says; nothing of the bundle was run.
    """
    root = folder.resolve()
    manifest, revision = _read_manifest(folder)
    _refuse_what_must_not_be_there(root, manifest)
    files: list[BundleFile] = [*manifest.samples]
    for variant in manifest.variants:
        files += variant.files
    for file in files:
        with _path_inside(root, file.path).open("rb") as opened:
            _compare(root / file.path, hashlib.file_digest(opened, "sha256").hexdigest(), file.sha256)
    return Bundle(root, manifest, revision)


def _read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Return it and its sha256."""
    root = folder.resolve()
    if not root.is_dir():
        raise BundleError(f"{folder} is no folder; give one that holds a {MANIFEST}")
    path = _path_inside(root, MANIFEST)
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise BundleError(f"{path}: {path.stat().st_size} bytes; at most {MAX_MANIFEST_BYTES} are read")
    raw = path.read_bytes()
    return _parse(path, raw), hashlib.sha256(raw).hexdigest()


def _parse(path: Path, raw: bytes) -> Manifest:
    try:
        document: Any = yaml.load(raw, _StrictLoader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BundleError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        if first["type"] == "missing":
            raise BundleError(f"{path}: {field} is missing{more}") from error
        problem = "is not a field of model.yaml" if first["type"] == "extra_forbidden" else first["msg"]
        raise BundleError(f"{path}: {field} = {shorten(first['input'])}: {problem}{more}") from error


class _StrictLoader(yaml.SafeLoader):
    """YAML without twin keys, and without aliases, a few of which can stand for more than memory holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(None, None, "aliases (*name) are not read")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _path_inside(root: Path, path: str) -> Path:
    full = root / path
    try:
        real = full.resolve(strict=True)
    except OSError as error:
        raise BundleError(f"{full}: {error.strerror or error}; the bundle is incomplete: copy it again") from error
    if not real.is_relative_to(root):
        raise BundleError(f"{full}: a link to {real}, outside the bundle; put the file itself there")
    if not real.is_file():
        raise BundleError(f"{full}: not a regular file; put the file itself there")
    return real


def _compare(path: Path, found: str, expected: str) -> None:
    if found != expected:
        raise BundleError(
            f"{path}: its sha256 is {found}, {MANIFEST} says {expected}; "
            "the file was changed or is incomplete: copy the bundle again or make it anew"
        )


def _refuse_what_must_not_be_there(root: Path, manifest: Manifest) -> None:
    # these may begin with any byte, a pickle's first ones too; the engine that gets them unpickles nothing
    weights = {root / f.path for v in manifest.variants for f in v.files if f.path.endswith((".bin", ".safetensors"))}
    for parent, folders, names in os.walk(root):
        for name in folders + names:
            path = Path(parent, name)
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                raise BundleError(f"{path}: a link to {path.resolve()}, outside the bundle; put the file itself there")
            if path.is_file() and path not in weights and _is_pickle(path):
                raise BundleError(
                    f"{path}: a pickle can run code when it is read, so a bundle must not hold one; "
                    "use safetensors, ONNX or OpenVINO IR"
                )


def _is_pickle(path: Path) -> bool:
    if path.suffix.lower() in PICKLE_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(4)
        if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and len(head) == 4:
            return True
        if head[:4] == b"PK\x03\x04" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith(".pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False  # what can't be read is refused when its digest is checked
    return False
