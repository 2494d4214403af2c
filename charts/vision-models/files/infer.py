"""What `helm test` runs: a real inference with each model, through its own Service. Python's library and Pillow."""

import io
import json
import sys
import time
import urllib.request
from http.client import HTTPException
from pathlib import Path

from PIL import Image

PICTURE = 64
TRY_SECONDS = 10


def main(catalogue: str, seconds: float) -> int:
    """Ask each model of the catalogue for a label, and say what it answered; all of them have so many seconds."""
    models = json.loads(Path(catalogue).read_text(encoding="utf-8"))["models"]
    deadline = time.monotonic() + seconds
    failed = [model["id"] for model in models if not answers(model["id"], model["url"], deadline)]
    if not models:
        print("no model has pods: there is nothing to ask")
    if failed:
        print(f"no label, or a wrong one, from: {', '.join(failed)}")
    return 1 if failed else 0


def answers(name: str, url: str, deadline: float) -> bool:
    """Send it the first sample of its card, or a grey picture, until it answers or the time is over."""
    while True:
        try:
            card = json.loads(fetch(f"{url}/model/{name}"))
            sample = next(iter(card["samples"]), None)
            picture = fetch(url + sample["path"]) if sample else grey()
            label = json.loads(fetch(f"{url}/model/{name}/predict?top_k=1", picture))["predictions"][0]["label"]
        except (OSError, HTTPException, ValueError, LookupError) as error:
            if time.monotonic() > deadline:
                print(f"{name}: {type(error).__name__}: {error}", flush=True)
                return False
            time.sleep(1)
            continue
        expected = sample["label"] if sample else label
        print(f"{name}: {label}" + ("" if label == expected else f", but its sample is {expected}"), flush=True)
        return bool(label == expected)


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
