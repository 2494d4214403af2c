"""Loading and unloading over REST: who may, what is taken, what a refused bundle changes."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bundles import write_colour_bundle
from doors import MODEL, ask_raw, assert_refused, brief, top_labels, unharmed
from operators import INDEX, TOKEN, Operator, rename, repository_server, revise
from pictures import RED
from servers import Server
from test_bad_bundles import flip, marker, replace, trap

from model_server.bundle import read_bundle


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one bundle."""
    folder = tmp_path_factory.mktemp("repository") / "models"
    write_colour_bundle(folder / MODEL)
    return folder


@pytest.fixture(scope="module")
def bundle(models: Path) -> Path:
    return models / MODEL


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[Server]:
    with repository_server(models) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client of a server whose model is loaded, and loaded again afterwards."""
    with httpx.Client(base_url=server.url, trust_env=False) as client, unharmed(client):
        yield client
        assert Operator(server.url).load(MODEL).status_code == 200


@pytest.fixture
def operator(server: Server, client: httpx.Client) -> Operator:
    return Operator(server.url)


def labelled(client: httpx.Client) -> tuple[list[str], str]:
    """Ask for a label; return it and the version that gave it."""
    answer = ask_raw(RED).send(client)
    return top_labels(answer), answer.json()["revision"]


def test_a_model_goes_and_comes_back(operator: Operator, client: httpx.Client, bundle: Path) -> None:
    version = read_bundle(bundle).version
    assert operator.state(MODEL) == {"name": MODEL, "version": version, "state": "READY", "reason": ""}
    answer = operator.unload(MODEL)
    assert (answer.status_code, answer.json()) == (200, {"name": MODEL, "unload": True})
    assert_refused(ask_raw(RED).send(client), 404, f"model '{MODEL}' is not served", "no model is loaded")
    assert_refused(client.get(f"/model/{MODEL}"), 404, f"model '{MODEL}' is not served")
    assert operator.state(MODEL) == {"name": MODEL, "version": version, "state": "UNAVAILABLE", "reason": "unloaded"}
    assert operator.index({"ready": True}) == []
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models").json() == {"models": []}
    assert_refused(operator.unload(MODEL), 404, f"model '{MODEL}' is not served")
    answer = operator.load(MODEL)
    assert (answer.status_code, answer.json()) == (200, {"name": MODEL, "load": True, "version": version})
    assert labelled(client) == (["red"], version)


def test_another_revision_is_served_once_it_is_loaded(operator: Operator, client: httpx.Client, bundle: Path) -> None:
    old = read_bundle(bundle).version
    new = revise(bundle)
    assert labelled(client) == (["red"], old)
    assert operator.load(MODEL).json()["version"] == new
    assert labelled(client) == (["red"], new)
    assert client.get(f"/v2/models/{MODEL}").json()["versions"] == [new]
    assert_refused(client.get(f"/v2/models/{MODEL}/versions/{old}"), 404, f"no version '{old}'")


def test_a_bundle_that_is_copied_in_later_is_found(operator: Operator, client: httpx.Client, bundle: Path) -> None:
    assert_refused(operator.load("later"), 404, "no bundle here is named 'later'", MODEL)
    later = shutil.copytree(bundle, bundle.parent / "v2")
    rename(later, "later")
    assert operator.load("later").status_code == 200
    assert client.get("/v2/models").json() == {"models": [MODEL, "later"]}
    answer = client.post("/model/later/predict", content=RED)
    assert (top_labels(answer), answer.json()["model"]) == (["red"], "later")
    rename(later, MODEL)
    assert_refused(operator.load(MODEL), 409, "are both named", str(bundle), str(later))
    rename(later, "other")
    assert_refused(operator.load("later"), 409, "was 'later' and is 'other' now", "goes on being served")
    assert operator.unload("later").status_code == 200
    shutil.rmtree(later)
    assert_refused(operator.load("later"), 409, "v2 is no folder")
    assert [(state["name"], state["state"]) for state in operator.index()] == [
        (MODEL, "READY"),
        ("later", "UNAVAILABLE"),
    ]


def remove(path: str) -> Callable[[Path], Any]:
    return lambda bundle: (bundle / path).unlink()


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "another bit in the weights": (flip("model.bin"), "model.bin: its sha256 is"),
    "weights missing": (remove("model.bin"), "model.bin: No such file"),
    "manifest missing": (remove("model.yaml"), "model.yaml: No such file"),
    "manifest cut": (lambda bundle: (bundle / "model.yaml").write_text("a: [1"), "model.yaml: not valid YAML"),
    "a pickle beside": (lambda bundle: (bundle / "x.txt").write_bytes(trap(bundle)), "x.txt: a pickle can run code"),
    "no graph": (
        lambda bundle: replace(bundle, "model.xml", b"<net/>"),
        "openvino can't load model.xml",
    ),
}


@pytest.mark.parametrize("loaded", [True, False], ids=["loaded", "unloaded"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_row_33_a_bundle_that_is_refused_changes_nothing(
    operator: Operator, client: httpx.Client, bundle: Path, damage: str, loaded: bool
) -> None:
    old = read_bundle(bundle).version
    sound = shutil.copytree(bundle, bundle.parent.with_name("sound"))
    change, says = DAMAGES[damage]
    try:
        if not loaded:
            assert operator.unload(MODEL).status_code == 200
        revise(bundle)
        change(bundle)
        for _ in range(2):
            refused = operator.load(MODEL)
            assert_refused(refused, 409, says)
            assert (f"version {old} goes on being served" in refused.json()["error"]) == loaded
            state = operator.state(MODEL)
            assert (state["version"], state["state"]) == (old, "READY" if loaded else "UNAVAILABLE")
            assert says in state["reason"]
            if loaded:
                assert labelled(client) == (["red"], old)
            else:
                assert_refused(ask_raw(RED).send(client), 404, "is not served")
    finally:
        shutil.rmtree(bundle)
        sound.rename(bundle)
    assert not marker(bundle).exists(), "something in the bundle was run"
    new = revise(bundle)
    assert operator.load(MODEL).json()["version"] == new
    assert operator.state(MODEL) == {"name": MODEL, "version": new, "state": "READY", "reason": ""}
    assert labelled(client) == (["red"], new)


@pytest.mark.parametrize("verb", ["load", "unload"])
def test_nobody_may_where_there_is_no_token_file(colour_server: Server, colours: httpx.Client, verb: str) -> None:
    for token in (None, TOKEN):
        operator = Operator(colour_server.url, token)
        assert_refused(getattr(operator, verb)(MODEL), 403, "start the server with --repository-token-file FILE")
        assert [state["name"] for state in operator.index()] == [MODEL]


@pytest.mark.parametrize("verb", ["load", "unload"])
@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer",
        TOKEN,
        f"Basic {TOKEN}",
        *(f"Bearer {other}" for other in (TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é" * 16)),
    ],
    ids=brief,
)
def test_nobody_may_without_the_token(client: httpx.Client, verb: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}
    for name in (MODEL, "nobody"):
        refused = client.post(f"/v2/repository/models/{name}/{verb}", headers=headers)
        assert_refused(refused, 401, "send 'Authorization: Bearer TOKEN'")
        assert refused.headers["www-authenticate"] == "Bearer"
    assert client.post(INDEX, headers=headers).status_code == 200


def test_a_rotated_token_holds_at_once(client: httpx.Client, server: Server, models: Path) -> None:
    file = models.with_name("token")
    rotated = Operator(server.url, "the-next-token-is-this-one")
    assert_refused(rotated.load(MODEL), 401, "the token is not the server's")
    try:
        file.write_text("the-next-token-is-this-one")
        assert rotated.load(MODEL).status_code == 200
        assert_refused(Operator(server.url).load(MODEL), 401, "the token is not the server's")
        file.write_text("")
        assert_refused(rotated.load(MODEL), 503, "token file can't be used now", "16 characters")
        file.unlink()
        assert_refused(rotated.load(MODEL), 503, "token file can't be used now")
    finally:
        file.write_text(TOKEN)


@pytest.mark.parametrize(
    ("verb", "body", "says"),
    [
        ("load", {"parameters": {"config": "{}"}}, ["parameter 'config' is not taken", "as its bundle on disk says"]),
        ("load", {"parameters": {"file:1/model.onnx": "AA=="}}, ["parameter 'file:1/model.onnx' is not taken"]),
        ("load", {"parameters": []}, ["parameters = []; it must be an object"]),
        ("load", {"version": 3}, ["'version' is not a field of a load request", "parameters is"]),
        ("load", b"{", ["not valid JSON"]),
        ("load", [], ["the body is a JSON array; it must be an object"]),
        ("unload", {"parameters": {"config": "{}"}}, ["parameter 'config' is not taken; unload_dependents is"]),
        ("unload", {"parameters": {"unload_dependents": 1}}, ["unload_dependents = 1; it must be true or false"]),
        ("unload", {"ready": True}, ["'ready' is not a field of an unload request"]),
    ],
    ids=brief,
)
def test_what_is_not_taken_is_named(operator: Operator, verb: str, body: object, says: list[str]) -> None:
    assert_refused(getattr(operator, verb)(MODEL, body), 400, *says)
    assert operator.state(MODEL)["state"] == "READY"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"ready": 1}, "ready = 1; it must be true or false"),
        ({"name": ""}, "'name' is not a field of an index request"),
    ],
    ids=brief,
)
def test_an_index_request_is_held_against_its_format(client: httpx.Client, body: object, says: str) -> None:
    assert_refused(client.post(INDEX, json=body), 400, says)


def test_other_methods_are_refused(client: httpx.Client) -> None:
    for path in (INDEX, f"/v2/repository/models/{MODEL}/load", f"/v2/repository/models/{MODEL}/unload"):
        refused = client.get(path)
        assert_refused(refused, 405, "send POST")
        assert refused.headers["allow"] == "POST"


def test_what_triton_sends_is_taken(operator: Operator, client: httpx.Client) -> None:
    assert operator.unload(MODEL, {"parameters": {"unload_dependents": False}}).status_code == 200
    assert operator.load(MODEL, {}).status_code == 200
