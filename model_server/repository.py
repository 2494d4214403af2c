"""Which bundles are served, under which names, and whether each is ready."""

import asyncio
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from kserve import ModelRepository

from model_server.bundle import Bundle, is_bundle, read_bundle
from model_server.classifier import Classifier
from model_server.codec.document import shorten
from model_server.errors import BundleError, ModelNotFound, NotReady
from model_server.manifest import MANIFEST, NAME_PATTERN, Manifest, Variant
from model_server.predictor import VisionModel

BuildClassifier = Callable[[Bundle, Variant], Classifier]
"""Compiles a variant's engine and puts a classifier around it; takes seconds, so it is called in a thread."""
SelectVariant = Callable[[Manifest], Variant]
"""Chooses one of a bundle's variants; raises BundleError where none will do."""


class BundleRepository(ModelRepository):
    """KServe's repository, over bundles.

    Args:
        build: makes the classifier of a bundle.
        select: chooses the variant of a bundle that is served.
        max_images: images in one request.
    """

    def __init__(self, build: BuildClassifier, select: SelectVariant, *, max_images: int) -> None:
        super().__init__()
        self._build = build
        self._select = select
        self._max_images = max_images

    def register(self, folder: Path, name: str | None = None) -> VisionModel:
        """Read and verify a bundle and give it a name, its own unless another is given; it is not ready yet.

        Raises:
            BundleError: the bundle is refused, or the name is.
        """
        bundle = read_bundle(folder)
        name = name or bundle.manifest.name
        if not re.fullmatch(NAME_PATTERN, name):
            raise BundleError(
                f"{name!r} can't be a model's name: it must be 1 to 48 lower-case letters, digits and '-', "
                "begin with a letter and not end with '-'"
            )
        if other := self.get_model(name):
            raise BundleError(
                f"{folder} and {other.bundle.folder} are both named {name!r}; "
                "give one another name with --model NAME=DIR in place of --models"
            )
        variant = self._select(bundle.manifest)
        model = VisionModel(name, bundle, variant, max_images=self._max_images)
        self.update(model)
        return model

    async def load_registered(self) -> None:
        """Compile and warm up every registered model, one after the other.

        Raises:
            BundleError: an engine refuses its files.
        """
        for model in self.vision_models():
            if not model.ready:
                await model.serve(await asyncio.to_thread(self._build, model.bundle, model.variant))

    def unload(self, name: str) -> None:
        """Stop a model, once its work is done, and forget it.

        Raises:
            ModelNotFound: no such model.
        """
        self.find(name).stop()
        del self.models[name]

    def vision_models(self) -> list[VisionModel]:
        """Return every model, in order of name."""
        return sorted(self.get_models().values(), key=lambda model: str(model.name))

    def find(self, name: str, version: str | None = None) -> VisionModel:
        """Return a model by name, ready or not.

        Raises:
            ModelNotFound: no such model, or not that version of it.
        """
        model: VisionModel | None = self.get_model(name)
        if model is None:
            names = ", ".join(other.name for other in self.vision_models())
            raise ModelNotFound(f"model {shorten(name)} is not served here; there are: {names}")
        if version is not None and version != model.signature.version:
            raise ModelNotFound(
                f"model {name!r} has no version {shorten(version)}; the one that is served is {model.signature.version}"
            )
        return model

    def find_ready(self, name: str, version: str | None = None) -> VisionModel:
        """Return a model that can answer.

        Raises:
            ModelNotFound: no such model, or not that version of it.
            NotReady: it is loading.
        """
        model = self.find(name, version)
        if not model.ready:
            raise NotReady(f"model {name!r} is loading; send the request again in a moment")
        return model

    def is_ready(self) -> bool:
        """Tell whether every model can answer."""
        return all(model.ready for model in self.vision_models())

    def stop(self) -> None:
        """Stop every model, once its work is done."""
        for model in self.vision_models():
            model.stop()


def find_bundles(folders: Iterable[Path]) -> list[Path]:
    """Return the bundles that the folders are or hold.

    Raises:
        BundleError: a folder does not exist or holds no bundle.
    """
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise BundleError(f"{folder} is no folder; give --models a model bundle, or a folder of bundles")
        inside = [folder] if is_bundle(folder) else sorted(child for child in folder.iterdir() if is_bundle(child))
        if not inside:
            raise BundleError(
                f"{folder} holds no model bundle: neither it nor a folder in it has a {MANIFEST}; "
                "`make digits` in the project's folder makes one"
            )
        found += inside
    return found
