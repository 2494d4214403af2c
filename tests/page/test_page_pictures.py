"""The whole way of a picture: in by every door, labels out, its time, its command, and back from the history."""

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect
from visitor import PREDICT, Visitor


def test_a_picked_picture_gets_its_label_bars_and_time(visitor: Visitor, seven: Path) -> None:
    visitor.show(seven)
    answer = visitor.answer("digits")
    expect(visitor.label("digits")).to_have_text("7")
    expect(answer.get_by_role("list").get_by_role("listitem")).to_have_count(5)
    expect(answer.get_by_role("listitem").first).to_contain_text(re.compile(r"7.*> 99\.9%"))
    expect(answer.locator(".time")).to_have_text(re.compile(r"[\d.]+ m?s: [\d.]+ m?s network, [\d.]+ m?s model"))
    expect(visitor.page.get_by_role("img", name="The picture: 7-0.png")).to_be_visible()
    expect(visitor.spoken()).to_have_text("digits says 7, > 99.9%.")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_dropped_or_pasted_picture_is_labelled(visitor: Visitor, seven: Path, event: str) -> None:
    visitor.transfer(event, seven)
    expect(visitor.label("digits")).to_have_text("7")


def test_the_page_shows_that_a_picture_can_be_dropped(visitor: Visitor, seven: Path) -> None:
    veil = visitor.page.get_by_text("Drop to have it labelled")
    visitor.transfer("dragenter", seven)
    expect(veil).to_be_visible()
    visitor.transfer("dragleave", seven)
    expect(veil).to_be_hidden()


def test_what_is_no_picture_is_told_from_one(visitor: Visitor) -> None:
    visitor.transfer("paste")
    expect(visitor.notice()).to_contain_text("There is no picture in the clipboard")
    visitor.transfer("drop")
    expect(visitor.notice()).to_contain_text("That was no picture")


def test_a_sample_is_one_click_away_and_drawn_with_crisp_pixels(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Sample 4: 3").click()
    expect(visitor.label("digits")).to_have_text("3")
    image = visitor.page.get_by_role("img", name="The picture: sample of “3”")
    expect(image).to_have_css("image-rendering", "pixelated")


def test_a_photograph_is_taken_on_a_phone_only(visitor: Visitor, visit, page_url: str) -> None:
    expect(visitor.page.get_by_role("button", name="Take a photo")).to_be_hidden()
    phone = visit(page_url, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800})
    expect(phone.page.get_by_role("button", name="Take a photo")).to_be_visible()
    assert phone.page.locator("#camera").get_attribute("capture") == "environment"


def test_twelve_pictures_fill_in_one_by_one_four_at_a_time(
    visitor: Visitor, photos: dict[str, Path], seven: Path
) -> None:
    held, holding = [], True
    visitor.page.route(PREDICT, lambda route: held.append(route) if holding else route.continue_())
    visitor.show(*[*photos.values(), seven] * 3)
    expect(visitor.cards()).to_have_count(12)
    expect(visitor.cards().filter(has_text="looking …")).to_have_count(4)
    expect(visitor.cards().filter(has_text="waiting for its turn")).to_have_count(8)
    assert len(held) == 4
    holding = False
    for route in held:
        route.continue_()
    expect(visitor.page.get_by_text("12 of 12 labelled")).to_be_visible()
    expect(visitor.spoken()).to_have_text("12 pictures labelled.")
    expect(visitor.cards().nth(3).locator(".name")).to_have_text("7")


def test_it_is_said_how_many_of_too_many_were_taken(visitor: Visitor, seven: Path) -> None:
    visitor.page.route(PREDICT, lambda _: None)
    visitor.transfer("drop", *[seven] * 108)
    expect(visitor.notice()).to_contain_text("100 of the 108 pictures were taken: at most 100 at a time.")
    expect(visitor.cards()).to_have_count(100)


def test_one_of_many_opens_in_large_and_escape_leaves_it(
    visitor: Visitor, photos: dict[str, Path], seven: Path
) -> None:
    visitor.show(seven, *photos.values())
    visitor.page.get_by_role("button", name="Open 7-0.png in large").click()
    dialog = visitor.page.get_by_role("dialog", name="Picture 1 of 4")
    expect(dialog.locator(".label")).to_have_text("7")
    visitor.page.keyboard.press("ArrowRight")
    expect(visitor.page.get_by_role("dialog", name="Picture 2 of 4")).to_contain_text("red.png")
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    expect(visitor.page.get_by_role("button", name="Open 7-0.png in large")).to_be_focused()


def test_one_of_many_can_be_removed(visitor: Visitor, photos: dict[str, Path]) -> None:
    visitor.show(*photos.values())
    visitor.page.get_by_role("button", name="Remove green.png").click()
    expect(visitor.cards()).to_have_count(2)
    visitor.page.get_by_role("button", name="Clear pictures").click()
    expect(visitor.cards()).to_have_count(0)


def test_the_number_of_labels_is_chosen_and_kept(visitor: Visitor, seven: Path) -> None:
    visitor.show(seven)
    bars = visitor.answer("digits").get_by_role("listitem")
    for number in (3, 20):
        visitor.page.get_by_label("Labels to show").select_option(str(number))
        expect(bars).to_have_count(min(number, 10))
    visitor.open()
    expect(visitor.page.get_by_label("Labels to show")).to_have_value("20")


def test_the_history_shows_a_picture_again_and_is_cleared(
    visitor: Visitor, photos: dict[str, Path], seven: Path
) -> None:
    visitor.choose("colours")
    visitor.show(photos["red"])
    expect(visitor.label("colours")).to_have_text("red")
    visitor.show(photos["blue"])
    expect(visitor.label("colours")).to_have_text("blue")
    history = visitor.page.get_by_role("region", name="This session")
    expect(history.get_by_role("listitem")).to_have_count(2)
    history.get_by_role("button", name="red.png").click()
    expect(visitor.label("colours")).to_have_text("red")
    history.get_by_role("button", name="Clear session").click()
    expect(history).to_be_hidden()
    expect(visitor.label("colours")).to_have_text("red")


def test_the_history_keeps_its_images_when_another_answer_comes(
    visitor: Visitor, photos: dict[str, Path], seven: Path
) -> None:
    visitor.show(*photos.values())
    expect(visitor.page.get_by_text("3 of 3 labelled")).to_be_visible()
    history = visitor.page.get_by_role("region", name="This session")
    history.locator("img").evaluate_all("images => images.forEach(image => { image.dataset.first = ''; })")
    visitor.compare("colours")
    expect(history.get_by_role("listitem").filter(has_text="colours")).to_have_count(3)
    expect(history.locator("img[data-first]")).to_have_count(3)
    visitor.show(seven)
    expect(history.get_by_role("listitem").first).to_contain_text("7")
    expect(history.locator("img[data-first]")).to_have_count(3)


def test_only_the_total_is_shown_where_the_model_tells_no_time(visitor: Visitor, seven: Path) -> None:
    def answer(route) -> None:
        response = route.fetch()
        headers = {name: value for name, value in response.headers.items() if name != "server-timing"}
        route.fulfill(response=response, headers=headers)

    visitor.page.route(PREDICT, answer)
    visitor.show(seven)
    expect(visitor.answer("digits").locator(".time")).to_have_text(re.compile(r"^[\d.]+ m?s until the answer$"))


def test_the_command_that_is_copied_gets_the_same_label(visitor: Visitor, seven: Path, tmp_path: Path) -> None:
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for name in ("it's $HOME; a “7”.png", "@7.png", "-7.png", "-"):
        path = tmp_path / name
        path.write_bytes(seven.read_bytes())
        visitor.transfer("drop", path)
        expect(visitor.page.get_by_role("figure")).to_contain_text(name)
        assert '"label":"7"' in run_copied(visitor, tmp_path)
    visitor.page.get_by_role("button", name="Sample 4: 3").click()
    expect(visitor.label("digits")).to_have_text("3")
    visitor.page.get_by_label("Labels to show").select_option("1")
    assert run_copied(visitor, tmp_path).count('"label"') == 1


def run_copied(visitor: Visitor, folder: Path) -> str:
    visitor.answer("digits").get_by_role("button", name="Copy as curl").click()
    expect(visitor.answer("digits").get_by_role("button", name="Copied")).to_be_visible()
    command = visitor.page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.replace('": "', '":"')


def test_a_command_is_shown_where_the_browser_lets_nothing_be_copied(visitor: Visitor, seven: Path) -> None:
    visitor.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    visitor.show(seven)
    visitor.page.get_by_role("button", name="Copy as curl").click()
    command = visitor.page.get_by_role("dialog", name="Copy as curl").get_by_role("textbox")
    expect(command).to_be_focused()
    expect(command).to_have_value(f"curl --data-binary @'7-0.png' '{visitor.url}/model/digits/predict'")
    assert visitor.page.evaluate("getSelection().toString()") == command.input_value()
