"""What `helm test` runs: a real inference with each model, through its own Service and by way of the frontend.

Python's library and Pillow.
"""

import io
import json
import sys
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar

from PIL import Image

PICTURE = 64
TRY_SECONDS = 10

Answer = TypeVar("Answer")


def main(catalogue: str, seconds: float) -> int:
    """Ask each model of the catalogue for a label, and say what it answered; all of them have so many seconds.

    A catalogue that names the frontend has each asked a second time by way of it, and the page too.
    """
    asked = json.loads(Path(catalogue).read_text(encoding="utf-8"))
    models, frontend = asked["models"], asked.get("frontend")
    deadline = time.monotonic() + seconds
    doors = [(model["id"], model["id"], model["url"]) for model in models]
    if frontend:
        doors += [(f"{model['id']}, by way of the frontend", model["id"], frontend) for model in models]
    failed = [said for said, name, url in doors if not answers(said, name, url, deadline)]
    if frontend and not persist("the page", lambda: show(frontend), deadline):
        failed.append("the page")
    if not models:
        print("no model has pods: there is nothing to ask")
    if failed:
        print(f"no answer, or a wrong one, from: {'; '.join(failed)}")
    return 1 if failed else 0


def answers(said: str, name: str, url: str, deadline: float) -> bool:
    """Tell whether a model answers in time, and right."""
    found = persist(said, lambda: ask(name, url), deadline)
    if found is None:
        return False
    label, expected = found
    print(f"{said}: {label}" + ("" if label == expected else f", but its sample is {expected}"), flush=True)
    return bool(label == expected)


def persist(said: str, what: Callable[[], Answer], deadline: float) -> Answer | None:
    """Try until it succeeds or the time is over: then say why, and return None."""
    while True:
        try:
            return what()
        except (OSError, HTTPException, ValueError, LookupError) as error:
            if time.monotonic() > deadline:
                print(f"{said}: {type(error).__name__}: {error}", flush=True)
                return None
            time.sleep(1)


def ask(name: str, url: str) -> tuple[str, str]:
    """Send a model the first sample of its card, or a grey picture; return its label, and the one that is right."""
    card = json.loads(fetch(f"{url}/model/{name}"))
    sample = next(iter(card["samples"]), None)
    picture = fetch(url + sample["path"]) if sample else grey()
    label = json.loads(fetch(f"{url}/model/{name}/predict?top_k=1", picture))["predictions"][0]["label"]
    return label, sample["label"] if sample else label


def show(url: str) -> bool:
    """Get the page, and say so."""
    if b"<html" not in fetch(f"{url}/").lower():
        raise ValueError(f"{url}/ is no page")
    print("the page is there", flush=True)
    return True


def fetch(url: str, body: bytes | None = None) -> bytes:
    """GET, or POST a body."""
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=TRY_SECONDS) as answer:
        return bytes(answer.read())


def grey() -> bytes:
    """Return a picture of nothing."""
    file = io.BytesIO()
    Image.new("RGB", (PICTURE, PICTURE), "grey").save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
