"""The models, the frontend before them and the browsers that visit its page."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from browsers import open_browser
from bundles import write_colour_bundle
from PIL import Image
from playwright.sync_api import Browser
from servers import running_server, wait_until
from stage import DIGITS, all_ready, running_frontend
from visitor import Visitor

LONG = "a label of as many letters as the longest of a thousand have"
MODELS = ("digits", "digits-2", "colours", "shades", "long")
Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; for a module only, because its event loop would be in the way of asynchronous tests."""
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def models_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of digits twice, colours (untrained), shades (placeholders) and long (long labels, trained)."""
    folder = tmp_path_factory.mktemp("models")
    trained = {"name": "nothing but paint", "images": None}
    bundles = {
        "digits": DIGITS,
        "digits-2": DIGITS,
        "colours": write_colour_bundle(folder / "colours"),
        "shades": write_colour_bundle(
            folder / "shades", "shades", trained_on=trained, labels_source="placeholders: nobody named them"
        ),
        "long": write_colour_bundle(
            folder / "long",
            "long",
            trained_on=trained,
            labels=["Granny Smith", LONG, LONG.replace(" ", "_")],
            samples=[],
        ),
    }
    assert tuple(bundles) == MODELS
    options = [text for name, bundle in bundles.items() for text in ("--model", f"{name}={bundle}")]
    with running_server(folder / "server.log", *options) as server:
        yield server.url


@pytest.fixture(scope="session")
def page_url(models_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page over those models."""
    with running_frontend(tmp_path_factory.mktemp("page"), dict.fromkeys(MODELS, models_url)) as url:
        wait_until(lambda: all_ready(url))
        yield url


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens the page in a browser context of its own; at the end none may have complained or gone elsewhere."""
    visitors: list[Visitor] = []

    def open_page(url: str, **options: object) -> Visitor:
        context = browser.new_context(
            **{"viewport": {"width": 1100, "height": 800}, "reduced_motion": "reduce", **options}
        )
        context.set_default_timeout(15_000)
        visitors.append(Visitor(context, url))
        return visitors[-1].open()

    yield open_page
    for visitor in visitors:
        visitor.context.close()
        assert visitor.complaints == []
        assert {urlsplit(url).netloc for url in visitor.requests if not url.startswith("blob:")} == {
            urlsplit(visitor.url).netloc
        }


@pytest.fixture
def visitor(visit: Visit, page_url: str) -> Visitor:
    """Somebody who has just opened the page, and chosen digits."""
    visitor = visit(page_url)
    visitor.choose("digits")
    return visitor


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pictures of one colour each, with some grain."""
    folder = tmp_path_factory.mktemp("photos")
    grain = np.random.default_rng(0).integers(0, 60, (240, 320, 3), np.uint8)
    paths = {}
    for channel, name in enumerate(("red", "green", "blue")):
        pixels = grain.copy()
        pixels[..., channel] = 220
        paths[name] = folder / f"{name}.png"
        Image.fromarray(pixels).save(paths[name])
    return paths


@pytest.fixture(scope="session")
def seven() -> Path:
    """A handwritten seven."""
    return DIGITS / "samples/7-0.png"
