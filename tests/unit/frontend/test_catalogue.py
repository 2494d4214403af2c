"""Which models there are: from a file, or from a gateway."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from frontend import catalogue
from frontend.catalogue import CatalogueFile, GatewayCatalogue, parse_catalogue, parse_list
from frontend.errors import Refusal, StartError
from frontend.passing import open_session

CATS = {"id": "cats", "url": "http://cats-predictor.vision.svc"}
DOGS = {"id": "dogs", "url": "http://dogs-predictor.vision.svc/"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "models.json"
    write(path, [CATS])
    return path


def write(path: Path, models: list[dict[str, str]]) -> None:
    """As a mounted ConfigMap is renewed: another file takes the name's place."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"models": models}))
    fresh.replace(path)


async def test_models_stand_in_the_files_order_with_their_addresses(file: Path) -> None:
    write(file, [DOGS, CATS])
    models = await CatalogueFile(file).models()
    assert list(models.items()) == [("dogs", DOGS["url"].rstrip("/")), ("cats", CATS["url"])]


async def test_a_new_model_is_there_without_a_restart(file: Path) -> None:
    found = CatalogueFile(file)
    write(file, [CATS, DOGS])
    assert list(await found.models()) == ["cats", "dogs"]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("{")])
async def test_a_file_that_becomes_unreadable_changes_nothing_until_it_is_mended(file: Path, damage) -> None:
    found = CatalogueFile(file)
    damage(file)
    assert list(await found.models()) == ["cats"]
    write(file, [DOGS])
    assert list(await found.models()) == ["dogs"]


async def test_a_gateway_stands_for_every_address_of_the_file(file: Path) -> None:
    assert await CatalogueFile(file, "https://models.example.com").models() == {"cats": "https://models.example.com"}


def test_without_the_file_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"--catalogue .*none.json: No such file"):
        CatalogueFile(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ([CATS, CATS], r"models\[1\].id: 'cats' is there twice"),
        ([{"id": "cats"}], r"models\[0\]: .* is not"),
        (["cats"], r"models\[0\]: 'cats' is not"),
        ([{**CATS, "id": "a/b"}], r"models\[0\].id: 'a/b' is not a model's name"),
        ([{**CATS, "id": ".."}], r"models\[0\].id: '..' is not a model's name"),
        ([{**CATS, "id": 7}], r"models\[0\].id: 7 is not a model's name"),
        ([{**CATS, "url": "cats.svc"}], r"models\[0\].url: 'cats.svc' is not an address such as"),
        ([{**CATS, "url": "file:///etc/passwd"}], r"models\[0\].url: 'file:///etc/passwd' is not an address such as"),
        ([{**CATS, "url": "http://cats:port"}], r"models\[0\].url: "),
        (None, r'it is not {"models": \[…\]}'),
    ],
)
def test_what_is_no_catalogue_is_named(models: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_catalogue({"models": models})


def test_a_list_has_names_only() -> None:
    assert parse_list({"models": ["cats", "dogs"]}) == ["cats", "dogs"]
    with pytest.raises(ValueError, match=r"models\[0\]: {} is not a model's name"):
        parse_list({"models": [{}]})


class Gateway:
    """Lists models at ``/v2/models``, unless it is out of order."""

    def __init__(self) -> None:
        self.models = ["cats"]
        self.broken = self.hangs = False
        self.asked = 0

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        while self.hangs:
            await asyncio.sleep(0.01)
        return (
            web.Response(status=502, text="<h1>Bad Gateway</h1>")
            if self.broken
            else web.json_response({"models": self.models})
        )


@pytest.fixture
async def gateway():
    """A gateway, and a catalogue of what it lists."""
    said = Gateway()
    app = web.Application()
    app.router.add_get("/v2/models", said.answer)
    async with TestServer(app) as server, open_session() as session:
        said.url = str(server.make_url("")).rstrip("/")
        found = GatewayCatalogue(said.url, session)
        yield said, found
        await found.close()


async def test_a_gateways_list_is_the_catalogue(gateway) -> None:
    said, found = gateway
    assert await found.models() == {"cats": said.url}


async def test_a_gateway_is_not_asked_again_at_once(gateway) -> None:
    said, found = gateway
    await found.models()
    said.models = ["dogs"]
    assert list(await found.models()) == ["cats"]
    assert said.asked == 1


async def test_nobody_waits_for_a_list_that_may_have_changed(gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    said, found = gateway
    await found.models()
    monkeypatch.setattr(catalogue, "LIST_SECONDS", 0.05)
    said.hangs = True
    await asyncio.sleep(0.06)
    models = asyncio.ensure_future(found.models())
    await asyncio.sleep(0)
    assert models.done()
    said.hangs, said.models = False, ["dogs"]
    while list(await found.models()) != ["dogs"]:
        await asyncio.sleep(0.01)


async def test_a_gateway_that_fails_leaves_what_it_said_last(gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    said, found = gateway
    monkeypatch.setattr(catalogue, "LIST_SECONDS", 0)
    await found.models()
    said.broken, asked = True, said.asked
    while said.asked == asked:
        assert list(await found.models()) == ["cats"]
        await asyncio.sleep(0.01)
    said.broken, said.models = False, ["dogs"]
    while list(await found.models()) != ["dogs"]:
        await asyncio.sleep(0.01)


async def test_a_gateway_that_never_answered_is_said_to_be_silent(gateway) -> None:
    said, found = gateway
    said.broken = True
    with pytest.raises(Refusal, match="does not answer") as refused:
        await found.models()
    assert refused.value.status == 503


async def test_a_mounted_configmap_is_followed_through_its_links(tmp_path: Path) -> None:
    """The kubelet swaps a link to a folder, and the file's own name stays a link through it."""
    for name, models in (("one", [CATS]), ("two", [DOGS])):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "models.json", models)
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "models.json").symlink_to("..data/models.json")
    found = CatalogueFile(tmp_path / "models.json")
    (tmp_path / "..new").symlink_to("two")
    (tmp_path / "..new").replace(tmp_path / "..data")
    assert list(await found.models()) == ["dogs"]
