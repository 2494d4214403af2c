"""The pictures of the page in docs/images, taken anew: `make screenshots`, which names this file to pytest."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect
from servers import running_server
from stage import DIGITS, ROOT, running_frontend
from visitor import Visitor

IMAGES = ROOT / "docs/images"
MOST_BYTES = 60_000
DESK = {"viewport": {"width": 900, "height": 640}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def digits_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page over the digits in int8 and in float32."""
    folder = tmp_path_factory.mktemp("screenshots")
    float32 = ("--model", f"digits-float32={DIGITS}", "--precision", "float32")
    with (
        running_server(folder / "int8.log", "--models", str(DIGITS)) as quick,
        running_server(folder / "float32.log", *float32) as exact,
        running_frontend(folder, {"digits": quick.url, "digits-float32": exact.url}) as url,
    ):
        yield url


def keep(visitor: Visitor, name: str, last: str) -> None:
    """Write the page down to an element's end into docs/images, in few colours."""
    visitor.page.mouse.move(0, 0)
    visitor.page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    bottom = visitor.page.locator(last).evaluate("element => element.getBoundingClientRect().bottom")
    visitor.page.set_viewport_size({"width": visitor.page.viewport_size["width"], "height": int(bottom) + 16})
    picture = Image.open(BytesIO(visitor.page.screenshot(animations="disabled"))).convert("RGB")
    IMAGES.mkdir(exist_ok=True)
    picture.quantize(96, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)
    assert (IMAGES / f"{name}.png").stat().st_size <= MOST_BYTES


def try_sample(visitor: Visitor, label: str) -> None:
    visitor.page.get_by_role("button", name=f"Sample {int(label) + 1}: {label}").click()
    expect(visitor.label("digits")).to_have_text(label)


def show_doubtful(visitor: Visitor, one: int, other: int, folder: Path) -> None:
    """Show a digit that could be either of two, so that there is something to see in the bars."""
    samples = [Image.open(DIGITS / f"samples/{digit}-0.png").convert("L") for digit in (one, other)]
    path = folder / f"{one}-or-{other}.png"
    Image.blend(*samples, alpha=0.4).save(path)
    visitor.show(path)
    expect(visitor.label("digits")).to_have_text(str(one))


def test_start(visit, digits_url: str) -> None:
    visitor = visit(digits_url, **DESK)
    expect(visitor.page.locator("#samples img.tiny")).to_have_count(10)
    keep(visitor, "page-start", "#abouts")


def test_result(visit, digits_url: str, tmp_path: Path) -> None:
    visitor = visit(digits_url, **DESK)
    show_doubtful(visitor, 3, 5, tmp_path)
    keep(visitor, "page-result", "#result")


def test_comparison(visit, digits_url: str, tmp_path: Path) -> None:
    visitor = visit(digits_url, **DESK)
    show_doubtful(visitor, 5, 8, tmp_path)
    visitor.compare("digits-float32")
    expect(visitor.page.get_by_text("Both say 5.")).to_be_visible()
    keep(visitor, "page-comparison", "#result")


def test_maintenance(visit, digits_url: str) -> None:
    visitor = visit(digits_url, **DESK)
    expect(visitor.page.locator("#samples img.tiny")).to_have_count(10)
    visitor.catalogue(**{"digits": "loading", "digits-float32": "ready"})
    loading = {"error": "model 'digits' is loading; send the request again in a moment"}
    visitor.refuse(503, json=loading, headers={"Retry-After": "8"})
    visitor.show(*(DIGITS / f"samples/{digit}-0.png" for digit in (3, 5, 8)))
    expect(visitor.notice()).to_contain_text("Trying again in 8 s.")
    expect(visitor.page.locator("#model-dot")).to_have_attribute("data-state", "loading")
    keep(visitor, "page-maintenance", "#gallery")


def test_dark(visit, digits_url: str) -> None:
    visitor = visit(digits_url, **DESK, color_scheme="dark")
    visitor.show(*sorted(Path(DIGITS / "samples").glob("*.png")))
    expect(visitor.page.get_by_text("10 of 10 labelled")).to_be_visible()
    keep(visitor, "page-dark", "#gallery")


def test_phone(visit, digits_url: str) -> None:
    visitor = visit(digits_url, **PHONE)
    try_sample(visitor, "2")
    keep(visitor, "page-phone", "#result")
