"""Who loads and unloads models over REST, and what they are told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from doors import ANSWER_SECONDS
from servers import Server, running_server
from test_bad_bundles import rewrite

from model_server.bundle import read_bundle

TOKEN = "a token with 29 characters, no".replace(" ", "-")
INDEX = "/v2/repository/index"


@contextmanager
def repository_server(models: Path, *arguments: str, **options: Any) -> Iterator[Server]:
    """Run a server that lets whoever has the token load and unload."""
    file = models.with_name("token")
    file.write_text(TOKEN + "\n")
    log = models.with_name("server.log")
    limits = ("--models", str(models), "--repository-token-file", str(file), "--no-access-log")
    with running_server(log, *limits, *arguments, **options) as server:
        yield server


class Operator:
    """Somebody with a token, or without."""

    def __init__(self, url: str, token: str | None = TOKEN, timeout: float = ANSWER_SECONDS) -> None:
        self._url = url
        self._timeout = timeout
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def load(self, name: str, body: object = None) -> httpx.Response:
        return self._post(f"/v2/repository/models/{name}/load", body)

    def unload(self, name: str, body: object = None) -> httpx.Response:
        return self._post(f"/v2/repository/models/{name}/unload", body)

    def index(self, body: object = None) -> list[dict[str, str]]:
        answer = self._post(INDEX, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def state(self, name: str) -> dict[str, str]:
        """Return the name's entry in the index."""
        (state,) = (state for state in self.index() if state["name"] == name)
        return state

    def _post(self, path: str, body: object) -> httpx.Response:
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.post(
            self._url + path, content=content, headers=self._headers, timeout=self._timeout, trust_env=False
        )


def revise(bundle: Path) -> str:
    """Give the bundle another revision, at one stroke, and return the version that it is."""
    new = bundle / "model.yaml.new"
    old = (bundle / "model.yaml").read_text()
    new.write_text(old.replace("made_by: ", "made_by: again ", 1))
    new.rename(bundle / "model.yaml")
    return read_bundle(bundle).version


def rename(bundle: Path, name: str) -> None:
    """Give the bundle another name of its own."""
    rewrite(bundle, lambda manifest: manifest.update(name=name))
