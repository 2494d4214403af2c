"""What is served as bundles come, change and go; without engines."""

import asyncio
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from model_server.classifier import Classifier
from model_server.errors import BundleError, LoadFailed, ModelNotFound, NotReady
from model_server.manifest import Manifest, Variant
from model_server.metrics import Metrics
from model_server.repository import BundleRepository
from model_server.shelf import Shelf

MODEL = "colours"


class Engineless(Classifier):
    """A classifier that is warm at once and knows whether it was closed."""

    def __init__(self, fails: BaseException | None) -> None:
        self.fails = fails
        self.closed = False

    async def warm_up(self) -> None:
        if self.fails:
            raise self.fails

    def close(self) -> None:
        self.closed = True


@dataclass
class Factory:
    """Builds what the repository serves, in the repository's thread, once the gate is open."""

    variant: int = 0
    fails: BaseException | None = None
    cold: BaseException | None = None
    built: list[Engineless] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def build(self, *_: object) -> Engineless:
        assert self.gate.wait(30)
        if self.fails:
            raise self.fails
        self.built.append(Engineless(self.cold))
        return self.built[-1]

    def select(self, manifest: Manifest) -> Variant:
        return manifest.variants[self.variant]


@pytest.fixture
def factory() -> Factory:
    return Factory()


@pytest.fixture
def bundle(tmp_path: Path, colour_bundle: Path) -> Path:
    return shutil.copytree(colour_bundle, tmp_path / "models" / "first")


@pytest.fixture
def repository(factory: Factory, bundle: Path) -> BundleRepository:
    """A repository of that bundle, which is registered and not loaded."""
    shelf = Shelf((bundle.parent,), (("mine", bundle),))
    repository = BundleRepository(factory.build, factory.select, Metrics(), max_images=4, shelf=shelf)
    for folder, name in shelf.find_all():
        repository.register(folder, name)
    return repository


def states(repository: BundleRepository) -> dict[str, tuple[str, str]]:
    return {state.name: (state.state, state.reason) for state in repository.index()}


def revise(bundle: Path) -> None:
    path = bundle / "model.yaml"
    path.write_text(path.read_text().replace("made_by: ", "made_by: again ", 1))


async def test_the_index_follows_the_start(repository: BundleRepository) -> None:
    assert states(repository) == {MODEL: ("LOADING", ""), "mine": ("LOADING", "")}
    assert repository.index(ready_only=True) == []
    await repository.load_registered()
    assert states(repository) == {MODEL: ("READY", ""), "mine": ("READY", "")}
    assert repository.index(ready_only=True) == repository.index()
    version = repository.find(MODEL).signature.version
    assert {state.version for state in repository.index()} == {version}
    await repository.stop()


async def test_what_is_served_already_is_not_built_again(repository: BundleRepository, factory: Factory) -> None:
    await repository.load_registered()
    models = repository.vision_models()
    assert [await repository.load(name) for name in (MODEL, "mine")] == models
    assert len(factory.built) == 2


async def test_another_revision_or_variant_takes_over_and_the_old_engine_is_closed(
    repository: BundleRepository, factory: Factory, bundle: Path
) -> None:
    await repository.load_registered()
    revise(bundle)
    await repository.load(MODEL)
    factory.variant = 1
    model = await repository.load(MODEL)
    assert model.variant.precision == "float32"
    assert [classifier.closed for classifier in factory.built] == [True, False, True, False]
    assert repository.vision_models() == [model, repository.find("mine")]


async def test_a_load_during_the_start_and_an_unload_before_it(repository: BundleRepository, factory: Factory) -> None:
    await repository.unload("mine")
    model = await repository.load(MODEL)
    await repository.load_registered()
    assert repository.vision_models() == [model]
    assert len(factory.built) == 1
    assert states(repository) == {MODEL: ("READY", ""), "mine": ("UNAVAILABLE", "unloaded")}


async def test_the_index_shows_a_load_under_way(repository: BundleRepository, factory: Factory) -> None:
    await repository.load_registered()
    await repository.unload(MODEL)
    factory.gate.clear()
    loading = asyncio.create_task(repository.load(MODEL))
    async with asyncio.timeout(30):
        while states(repository)[MODEL][0] != "LOADING":
            await asyncio.sleep(0.001)
    with pytest.raises(ModelNotFound, match="'colours' is not served here; there are: mine"):
        repository.find_ready(MODEL)
    factory.gate.set()
    assert await loading is repository.find_ready(MODEL)


@pytest.mark.parametrize("what", ["fails", "cold"])
@pytest.mark.parametrize("kind", [BundleError, OSError])
async def test_a_failed_load_leaves_what_serves_and_says_why(
    repository: BundleRepository, factory: Factory, bundle: Path, what: str, kind: type[Exception]
) -> None:
    await repository.load_registered()
    served = repository.find_ready(MODEL)
    revise(bundle)
    setattr(factory, what, (kind if what == "fails" else BundleError)("model.xml is odd"))
    with pytest.raises(LoadFailed, match=f"model.xml is odd.*version {served.signature.version} goes on being served"):
        await repository.load(MODEL)
    state, reason = states(repository)[MODEL]
    assert (state, reason.startswith("model.xml is odd")) == ("READY", True)
    assert repository.find_ready(MODEL) is served
    assert [classifier.closed for classifier in factory.built[2:]] == [True] * (what == "cold")
    factory.fails = factory.cold = None
    assert await repository.load(MODEL) is not served
    assert states(repository)[MODEL] == ("READY", "")


async def test_a_failure_that_is_nobodys_fault_is_no_refusal(repository: BundleRepository, factory: Factory) -> None:
    await repository.load_registered()
    await repository.unload(MODEL)
    factory.fails = MemoryError("no memory")
    with pytest.raises(MemoryError):
        await repository.load(MODEL)
    assert states(repository)[MODEL] == ("UNAVAILABLE", "no memory")
    factory.fails = None
    await repository.load(MODEL)
    assert states(repository)[MODEL] == ("READY", "")


async def test_a_start_fails_on_what_an_engine_refuses(repository: BundleRepository, factory: Factory) -> None:
    factory.fails = BundleError("model.xml is odd")
    with pytest.raises(BundleError, match=r"model\.xml is odd"):
        await repository.load_registered()


async def test_names_that_nothing_has(repository: BundleRepository, bundle: Path) -> None:
    await repository.load_registered()
    for name in ("nobody", "first", "../models/first", "x" * 1000):
        with pytest.raises(ModelNotFound, match=r"no bundle here is named .*; there are: colours, mine") as refusal:
            await repository.load(name)
        assert len(refusal.value.message) < 200
        with pytest.raises(ModelNotFound, match="is not served here; there are: colours, mine"):
            await repository.unload(name)
    assert set(states(repository)) == {MODEL, "mine"}


async def test_a_bundle_of_another_name_does_not_take_the_place_of_a_model(
    repository: BundleRepository, bundle: Path
) -> None:
    await repository.load_registered()
    path = bundle / "model.yaml"
    path.write_text(path.read_text().replace(f"name: {MODEL}\n", "name: shapes\n"))
    with pytest.raises(LoadFailed, match="was 'colours' and is 'shapes' now"):
        await repository.load(MODEL)
    assert (await repository.load("shapes")).name == "shapes"
    assert (await repository.load("mine")).name == "mine"  # whatever the bundle calls itself
    assert [model.name for model in repository.vision_models()] == [MODEL, "mine", "shapes"]


async def test_the_end_does_not_wait_for_loads(repository: BundleRepository, factory: Factory, bundle: Path) -> None:
    await repository.load_registered()
    revise(bundle)
    factory.gate.clear()
    loading = [asyncio.create_task(repository.load(name)) for name in (MODEL, "mine")]
    unloading = asyncio.create_task(repository.unload(MODEL))
    await asyncio.sleep(0)
    await repository.stop()
    for asked in (*loading, unloading):
        with pytest.raises(NotReady, match="the server is stopping"):
            await asked
    assert [classifier.closed for classifier in factory.built] == [True, True]
    factory.gate.set()
