"""Which bundles are served, under which names, and whether each is ready; they come and go while the server runs."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from model_server.bundle import Bundle, read_bundle
from model_server.classifier import Classifier
from model_server.errors import BundleError, LoadFailed, ModelNotFound, NotReady
from model_server.excerpt import shorten
from model_server.kserve_sdk import ModelRepository
from model_server.manifest import NAME_PATTERN, Manifest, Variant
from model_server.metrics import Metrics, ModelMetrics
from model_server.predictor import VisionModel
from model_server.shelf import Shelf
from model_server.turns import Turns
from model_server.types import ModelState

logger = logging.getLogger(__name__)

BuildClassifier = Callable[[Bundle, Variant, ModelMetrics], Classifier]
"""Compiles a variant's engine and puts a classifier around it; takes seconds, so it is called in a thread."""
SelectVariant = Callable[[Manifest], Variant]
"""Chooses one of a bundle's variants; raises BundleError where none will do."""

UNLOADED = "unloaded"
"""The index's reason for a model that somebody unloaded."""

P = ParamSpec("P")
T = TypeVar("T")


class BundleRepository(ModelRepository):
    """KServe's repository, over bundles.

    Args:
        build: makes the classifier of a bundle.
        select: chooses the variant of a bundle that is served.
        metrics: where requests are counted.
        max_images: images in one request.
        shelf: where a bundle is looked for that is to be loaded; what was registered is found without.
    """

    def __init__(
        self,
        build: BuildClassifier,
        select: SelectVariant,
        metrics: Metrics,
        *,
        max_images: int,
        shelf: Shelf | None = None,
    ) -> None:
        super().__init__()
        self._build = build
        self._select = select
        self._metrics = metrics
        self._max_images = max_images
        self._shelf = shelf or Shelf()
        self._folders: dict[str, Path] = {}
        self._renamed: set[str] = set()
        self._states: dict[str, ModelState] = {}
        self._turns = Turns()
        # one of its own: a load must not take the threads that requests are decoded in, nor two loads twice the memory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="loading")

    def register(self, folder: Path, name: str | None = None) -> VisionModel:
        """Read and verify a bundle and give it a name, its own unless another is given; it is not ready yet.

        Raises:
            BundleError: the bundle is refused, or the name is.
        """
        bundle = read_bundle(folder)
        if name is not None:
            self._renamed.add(name)
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
        model = self._model(name, bundle)
        self.update(model)
        self._folders[name] = folder
        self._states[name] = ModelState(name, bundle.version, "LOADING")
        return model

    async def load_registered(self) -> None:
        """Compile and warm up every registered model, one after the other.

        Raises:
            BundleError: an engine refuses its files.
        """
        for name in list(self.get_models()):
            await self._turns.take(name, "start", partial(self._start, name))

    async def load(self, name: str) -> VisionModel:
        """Serve a name's bundle as it is on disk now, and return the model once it answers.

        It is built beside what serves, which is freed when nobody has it any more. Where revision and variant are
        those that serve, nothing is done.

        Raises:
            ModelNotFound: no bundle has that name.
            LoadFailed: the bundle is refused; what served goes on serving.
            NotReady: the server ends first.
        """
        try:
            return await self._turns.take(name, "load", partial(self._load, name))
        except BundleError as error:
            model = self.get_model(name)
            still = f"; version {model.signature.version} goes on being served" if model and model.ready else ""
            raise LoadFailed(f"{error}{still}") from error

    async def unload(self, name: str) -> None:
        """Take no new requests for a model, answer those that have it, and free it; its bundle stays where it is.

        Raises:
            ModelNotFound: it is not served.
            NotReady: the server ends first.
        """
        await self._turns.take(name, "unload", partial(self._unload, name))

    def index(self, *, ready_only: bool = False) -> list[ModelState]:
        """Return what is served and what was or failed to be, in order of name."""
        states = sorted(self._states.values(), key=lambda state: state.name)
        return [state for state in states if state.state == "READY" or not ready_only]

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
            there = f"there are: {names}" if names else "no model is loaded"
            state = self._states.get(name)
            any_more = " any more: it was unloaded" if state and state.reason == UNLOADED else ""
            raise ModelNotFound(f"model {shorten(name)} is not served here{any_more}; {there}")
        if version is not None and version != model.signature.version:
            raise ModelNotFound(
                f"model {name!r} has no version {shorten(version)}; the one that is served is {model.signature.version}"
            )
        return model

    def find_ready(self, name: str, version: str | None = None) -> VisionModel:
        """Return a model that can answer; ``lend`` keeps it able to.

        Raises:
            ModelNotFound: no such model, or not that version of it.
            NotReady: it is loading.
        """
        model = self.find(name, version)
        if not model.ready:
            raise NotReady(f"model {name!r} is loading; send the request again in a moment")
        return model

    @contextmanager
    def ask(self, door: str, name: str, version: str | None = None) -> Iterator[VisionModel]:
        """Lend a model that can answer for one request through a door, and count the request.

        Raises:
            ModelNotFound, NotReady: as ``find_ready`` has it.
        """
        with self._metrics.request(door) as asked:
            asked.model = self.find(name, version).name
            with self.find_ready(name, version).lend() as model:
                yield model

    def is_ready(self) -> bool:
        """Tell whether every model can answer."""
        return all(model.ready for model in self.vision_models())

    async def stop(self) -> None:
        """End loads and unloads, then every model, once its work is done."""
        await self._turns.end()
        self._thread.shutdown(wait=False, cancel_futures=True)
        for model in self.vision_models():
            model.stop()

    def _model(self, name: str, bundle: Bundle) -> VisionModel:
        variant, metrics = self._select(bundle.manifest), self._metrics.of_model(name)
        return VisionModel(name, bundle, variant, metrics, max_images=self._max_images)

    async def _start(self, name: str) -> None:
        model = self.get_model(name)
        if model and not model.ready:  # neither unloaded nor loaded meanwhile
            await model.serve(await self._in_thread(self._build, model.bundle, model.variant, model.metrics))
            self._states[name] = replace(self._states[name], state="READY")

    async def _load(self, name: str) -> VisionModel:
        served: VisionModel | None = self.get_model(name)
        before = self._states.get(name, ModelState(name, "", "UNAVAILABLE"))
        try:
            model = await self._in_thread(self._open, name)
            if served and served.ready and served.is_same(model):
                self._states[name] = replace(before, reason="")
                return served
            if not served:
                self._states[name] = ModelState(name, model.signature.version, "LOADING")
            await model.serve(await self._in_thread(self._build, model.bundle, model.variant, model.metrics))
        except ModelNotFound:
            raise
        except Exception as error:
            logger.warning("model %s is not loaded: %s", name, error)
            self._states[name] = replace(before, reason=str(error))
            raise
        self.update(model)
        self._states[name] = ModelState(name, model.signature.version, "READY")
        logger.info("model %s: version %s is served", name, model.signature.version)
        if served:
            await served.retire()
        return model

    def _open(self, name: str) -> VisionModel:
        """Find, read and verify a name's bundle, in the thread."""
        folder = self._shelf.find(name) or self._folders.get(name)
        if folder is None:
            names = ", ".join(sorted(self._folders))
            raise ModelNotFound(f"no bundle here is named {shorten(name)}; there are: {names}")
        bundle = read_bundle(folder)
        if bundle.manifest.name != name and name not in self._renamed:
            raise BundleError(f"{folder} was {name!r} and is {bundle.manifest.name!r} now; load it by that name")
        self._folders[name] = folder
        return self._model(name, bundle)

    async def _unload(self, name: str) -> None:
        model = self.find(name)
        del self.models[name]
        self._states[name] = ModelState(name, model.signature.version, "UNLOADING")
        await model.retire()
        self._states[name] = ModelState(name, model.signature.version, "UNAVAILABLE", UNLOADED)
        logger.info("model %s: version %s is unloaded", name, model.signature.version)

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, partial(function, *args, **kwargs))
        except OSError as error:
            raise BundleError(f"{error}; copy the bundle again") from error
