"""For everybody: axe finds nothing, in light and dark and on a phone; a keyboard does; nothing is too wide or small."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from visitor import Visitor

LOOKS = {
    "desk": {},
    "phone": {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True},
}
SMALLEST = 44
SMALL_TARGETS = """smallest => [...document.querySelectorAll("button, select, summary")]
    .filter(element => element.checkVisibility())
    .map(element => [element.textContent || element.ariaLabel, element.getBoundingClientRect()])
    .filter(([, box]) => box.width < smallest || box.height < smallest)
    .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""


@pytest.fixture(params=LOOKS)
def guest(visit, page_url: str, request: pytest.FixtureRequest) -> Visitor:
    """Somebody with another screen each time."""
    guest = visit(page_url, **LOOKS[request.param])
    guest.choose("digits")
    expect(guest.page.get_by_role("region", name="About digits")).to_contain_text("Trained on")
    return guest


def assert_good(guest: Visitor) -> None:
    for scheme in ("dark", "light"):
        guest.page.emulate_media(color_scheme=scheme)
        assert guest.violations() == "", scheme
    assert guest.overflow() == 0
    assert guest.page.evaluate(SMALL_TARGETS, SMALLEST) == []


def test_the_start_and_a_result(guest: Visitor, seven: Path) -> None:
    assert_good(guest)
    guest.show(seven)
    expect(guest.label("digits")).to_have_text("7")
    assert_good(guest)


def test_a_comparison_with_long_labels(guest: Visitor, photos: dict[str, Path], tmp_path: Path) -> None:
    guest.choose("long")
    guest.compare("colours")
    path = tmp_path / f"{'a_very_long_name_of_a_file' * 5}.png"
    path.write_bytes(photos["blue"].read_bytes())
    guest.show(path)
    expect(guest.page.get_by_text("They differ: long says")).to_be_visible()
    assert_good(guest)
    guest.show(path, *photos.values())
    expect(guest.page.get_by_text("4 of 4 labelled")).to_be_visible()
    assert_good(guest)
    guest.cards().first.get_by_role("button", name="Open").click()
    expect(guest.page.get_by_role("dialog")).to_be_visible()
    assert_good(guest)


def test_maintenance_and_a_refusal(guest: Visitor, seven: Path) -> None:
    guest.refuse(502, body="<html>", headers={"Retry-After": "100"})
    guest.show(seven)
    expect(guest.notice()).to_contain_text("digits is down")
    assert_good(guest)
    guest.page.unroute_all()
    guest.refuse(400, json={"error": "the JPEG ends early"})
    guest.page.get_by_role("button", name="Try now").click()
    expect(guest.answer("digits")).to_contain_text("Not labelled")
    assert_good(guest)


def test_the_command_by_hand(guest: Visitor, seven: Path) -> None:
    guest.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    guest.show(seven)
    guest.page.get_by_role("button", name="Copy as curl").click()
    expect(guest.page.get_by_role("dialog", name="Copy as curl")).to_be_visible()
    assert_good(guest)


def test_a_keyboard_is_enough(visit, page_url: str) -> None:
    visitor = visit(page_url)
    page, press = visitor.page, visitor.page.keyboard.press
    press("Tab")
    expect(page.get_by_label("Model", exact=True)).to_be_focused()
    press("ArrowDown")
    expect(page.get_by_label("Model", exact=True)).to_have_value("digits-2")
    press("Home")
    expect(page.get_by_label("Model", exact=True)).to_have_value("digits")
    expect(page.get_by_role("button", name="Sample 10: 9")).to_be_visible()
    reach(visitor, "Sample 8: 7")
    press("Enter")
    expect(visitor.label("digits")).to_have_text("7")
    expect(page.get_by_role("button", name="Sample 8: 7")).to_be_focused()
    reach(visitor, "Copy as curl")
    press("Space")
    expect(page.get_by_role("button", name="Copied").or_(page.get_by_role("dialog"))).to_be_visible()


def reach(visitor: Visitor, name: str) -> None:
    """Press Tab until the button of that name has the focus, and see that the focus can be seen."""
    button = visitor.page.get_by_role("button", name=name)
    for _ in range(40):
        visitor.page.keyboard.press("Tab")
        if button.evaluate("button => button === document.activeElement"):
            break
    expect(button).to_be_focused()
    expect(button).to_have_css("outline-style", "solid")


def test_the_focus_is_not_lost_when_a_button_goes(visitor: Visitor, seven: Path) -> None:
    visitor.refuse(500, times=1)
    visitor.show(seven)
    visitor.page.get_by_role("button", name="Try again").focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.label("digits")).to_have_text("7")
    expect(visitor.page.locator("#result-title")).to_be_focused()


def test_headings_come_in_order_and_regions_have_names(visitor: Visitor, seven: Path) -> None:
    visitor.show(seven)
    expect(visitor.label("digits")).to_have_text("7")
    headings = visitor.page.get_by_role("heading").all()
    assert [heading.evaluate("h => h.tagName") for heading in headings] == ["H1", "H2", "H3", "H2", "H2"]
    for role in ("banner", "main", "contentinfo"):
        expect(visitor.page.get_by_role(role)).to_have_count(1)


def test_twice_the_size_and_forced_colours(visit, page_url: str, seven: Path) -> None:
    visitor = visit(page_url, viewport={"width": 550, "height": 400}, forced_colors="active")
    visitor.choose("digits")
    visitor.show(seven)
    expect(visitor.label("digits")).to_have_text("7")
    assert visitor.overflow() == 0
    expect(visitor.answer("digits").locator(".fill").first).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")
