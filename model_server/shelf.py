"""The folders that bundles are looked for in, at the start and again at every load."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from model_server.bundle import is_bundle, read_manifest
from model_server.errors import BundleError
from model_server.manifest import MANIFEST


@dataclass(frozen=True)
class Shelf:
    """``folders``: each is a bundle or holds bundles. ``named``: bundles with names that are not their own."""

    folders: tuple[Path, ...] = ()
    named: tuple[tuple[str, Path], ...] = ()

    def find_all(self) -> Iterator[tuple[Path, str | None]]:
        """Yield every bundle, and its name where that is not its own.

        Raises:
            BundleError: a folder does not exist or holds no bundle.
        """
        for folder in self.folders:
            if not folder.is_dir():
                raise BundleError(f"{folder} is no folder; give --models a model bundle, or a folder of bundles")
            bundles = _bundles_in(folder)
            if not bundles:
                raise BundleError(
                    f"{folder} holds no model bundle: neither it nor a folder in it has a {MANIFEST}; "
                    "`vision-builder export` makes one of a network of yours"
                )
            for bundle in bundles:
                yield bundle, None
        for name, folder in self.named:
            yield folder, name

    def find(self, name: str) -> Path | None:
        """Return the bundle of that name, as the folders are now; one that can't be read is called as its folder.

        Raises:
            BundleError: there are several.
        """
        named = dict(self.named)
        if name in named:
            return named[name]
        found = [bundle for folder in self.folders for bundle in _bundles_in(folder) if _name_of(bundle) == name]
        if len(found) > 1:
            raise BundleError(f"{found[0]} and {found[1]} are both named {name!r}; remove one of them")
        return found[0] if found else None


def _bundles_in(folder: Path) -> list[Path]:
    if is_bundle(folder):
        return [folder]
    return sorted(child for child in folder.iterdir() if is_bundle(child)) if folder.is_dir() else []


def _name_of(bundle: Path) -> str:
    try:
        status = (bundle / MANIFEST).stat()
        return _read_name(bundle, status.st_ino, status.st_size, status.st_ctime_ns)
    except (BundleError, OSError):
        return bundle.name


@lru_cache(maxsize=1024)  # a manifest of a thousand labels takes a tenth of a second to read
def _read_name(bundle: Path, *_: int) -> str:
    return read_manifest(bundle).name
