"""The choice of models: kept by each browser, compared, changed while pictures are shown, and what is doubted."""

import hashlib
from pathlib import Path

from playwright.sync_api import expect
from stage import DIGITS
from visitor import PREDICT, Visitor


def test_two_people_never_change_each_others_model(visit, page_url: str, photos: dict[str, Path]) -> None:
    one, two = visit(page_url), visit(page_url)
    one.choose("digits")
    two.choose("colours")
    for person in (one, two):
        person.show(photos["green"])
    expect(one.answer("digits").locator(".label")).to_be_visible()
    expect(two.label("colours")).to_have_text("green")
    for person, model in ((one, "digits"), (two, "colours")):
        person.open()
        expect(person.page.get_by_label("Model", exact=True)).to_have_value(model)


def test_the_first_ready_model_is_asked_where_none_was_chosen(visit, page_url: str) -> None:
    visitor = visit(page_url)
    visitor.catalogue(digits="down", colours="ready")
    visitor.open()
    expect(visitor.page.get_by_label("Model", exact=True)).to_have_value("colours")


def test_a_model_that_nobody_chose_is_not_left_when_it_goes_down(visit, page_url: str) -> None:
    visitor = visit(page_url)
    visitor.catalogue(digits="down", colours="ready")
    visitor.page.evaluate("dispatchEvent(new Event('online'))")
    expect(visitor.notice()).to_contain_text("digits is down")
    expect(visitor.page.get_by_label("Model", exact=True)).to_have_value("digits")


def test_the_page_goes_on_where_the_browser_keeps_nothing(visit, page_url: str, seven: Path) -> None:
    visitor = visit(page_url)
    visitor.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    visitor.open()
    visitor.choose("digits-2")
    visitor.show(seven)
    expect(visitor.label("digits-2")).to_have_text("7")


def test_each_model_says_in_words_how_it_is(visit, page_url: str) -> None:
    visitor = visit(page_url)
    visitor.catalogue(digits="ready", colours="loading", shades="down")
    visitor.open()
    options = visitor.page.get_by_label("Model", exact=True).get_by_role("option")
    expect(options).to_have_text(["digits · ready", "colours · loading", "shades · down"])


def test_two_models_are_compared_on_one_picture(visitor: Visitor, seven: Path) -> None:
    visitor.show(seven)
    visitor.compare("digits-2")
    expect(visitor.page.get_by_text("Both say 7.")).to_be_visible()
    for model in ("digits", "digits-2"):
        expect(visitor.answer(model).locator(".time")).to_contain_text("network")
    visitor.compare("colours")
    expect(visitor.page.get_by_text("They differ: digits says 7, colours says")).to_be_visible()
    visitor.compare("")
    expect(visitor.page.locator(".answer")).to_have_count(1)


def test_two_answers_fill_the_width_below_their_verdict(visitor: Visitor, seven: Path) -> None:
    visitor.compare("digits-2")
    visitor.show(seven)
    verdict = visitor.page.get_by_text("Both say 7.")
    expect(verdict).to_be_visible()
    for width in (700, 1100, 1280, 1600):
        visitor.page.set_viewport_size({"width": width, "height": 800})
        whole, first, second = (
            part.bounding_box() for part in (verdict, visitor.answer("digits"), visitor.answer("digits-2"))
        )
        assert first["y"] == second["y"]
        assert abs(second["x"] + second["width"] - whole["x"] - whole["width"]) < 1


def test_many_pictures_are_compared_too(visitor: Visitor, photos: dict[str, Path]) -> None:
    visitor.compare("colours")
    visitor.show(*photos.values())
    expect(visitor.cards().filter(has_text="they differ")).to_have_count(3)
    legend = visitor.page.locator("#gallery-legend")
    expect(legend).to_have_text("digitscoloursThey agree on 0 of 3.")
    visitor.compare("digits-2")
    expect(legend).to_have_text("digitsdigits-2They agree on 3 of 3.")
    assert visitor.violations() == ""
    visitor.compare("")
    expect(legend).to_be_hidden()


def test_a_model_that_hangs_does_not_hold_up_the_other(visitor: Visitor, photos: dict[str, Path], seven: Path) -> None:
    visitor.page.route("**/model/digits/predict", lambda _: None)
    visitor.compare("digits-2")
    visitor.show(*[*photos.values(), seven] * 3)
    expect(visitor.page.locator(".card .second .name")).to_have_count(12)
    expect(visitor.page.locator(".card .first").filter(has_text="looking …")).to_have_count(2)


def test_models_that_hang_leave_a_connection_to_the_catalogue(
    visitor: Visitor, photos: dict[str, Path], seven: Path
) -> None:
    visitor.page.route("**/model/*/predict", lambda _: None)
    visitor.page.route("**/model/digits-2", lambda _: None)
    visitor.show(*[*photos.values(), seven] * 3)
    looking = visitor.page.locator(".card .line").filter(has_text="looking …")
    expect(looking).to_have_count(4)
    visitor.compare("digits-2")  # its card hangs too
    expect(visitor.page.locator(".card .second")).to_have_count(12)
    expect(looking).to_have_count(4)
    visitor.open()
    visitor.show(*[*photos.values(), seven] * 3)
    expect(looking).to_have_count(4)
    expect(visitor.page.locator(".card .second").filter(has_text="looking …")).to_have_count(2)


def test_what_was_picked_is_labelled_by_the_next_model_at_once(visitor: Visitor, photos: dict[str, Path]) -> None:
    visitor.show(photos["blue"])
    expect(visitor.label("digits")).to_be_visible()
    visitor.choose("colours")
    expect(visitor.label("colours")).to_have_text("blue")
    expect(visitor.page.get_by_role("figure")).to_contain_text("blue.png")


def test_an_answer_that_comes_late_is_not_shown_for_another_model(visitor: Visitor, photos: dict[str, Path]) -> None:
    held = []
    visitor.page.route("**/model/digits/predict", lambda route: held.append(route))
    visitor.show(photos["red"])
    expect(visitor.answer("digits")).to_contain_text("Looking …")
    with visitor.page.expect_event("requestfailed") as cancelled:
        visitor.choose("colours")
    assert cancelled.value.url.endswith("/model/digits/predict")
    expect(visitor.label("colours")).to_have_text("red")
    expect(visitor.page.locator(".answer")).to_have_count(1)


def test_the_card_is_told_in_words(visitor: Visitor) -> None:
    about = visitor.page.get_by_role("region", name="About digits")
    expect(about).to_contain_text("scikit-learn digits, training 80% (1,437 images)")
    expect(about).to_contain_text("99.72% of 360 pictures that it never saw")
    expect(about).to_contain_text("only the middle square of the picture, as 32")
    expect(visitor.page.get_by_text("It knows only these, and always names one of them.")).to_be_visible()
    expect(about).to_contain_text("int8 on OpenVINO, on a CPU")
    expect(about).to_contain_text(hashlib.sha256((DIGITS / "model.yaml").read_bytes()).hexdigest()[:12])


def test_an_untrained_model_says_that_its_labels_mean_nothing(visitor: Visitor, seven: Path) -> None:
    expect(visitor.notice()).to_be_empty()
    visitor.choose("colours")
    expect(visitor.notice()).to_contain_text("colours is untrained")
    expect(visitor.notice()).to_contain_text("Its weights are random: the labels mean nothing.")
    visitor.show(seven)
    expect(visitor.answer("colours")).to_contain_text("Untrained: this label means nothing.")


def test_placeholder_labels_are_named_as_such(visitor: Visitor, seven: Path) -> None:
    visitor.choose("shades")
    expect(visitor.notice()).to_contain_text("Its labels are placeholders, such as “red”.")
    visitor.show(seven)
    expect(visitor.answer("shades")).to_contain_text("The label is a placeholder.")


def test_a_model_that_has_gone_is_said_and_another_offered(visitor: Visitor, seven: Path) -> None:
    visitor.show(seven)
    expect(visitor.label("digits")).to_have_text("7")
    visitor.catalogue(**{"digits-2": "ready"})
    visitor.page.evaluate("dispatchEvent(new Event('online'))")
    expect(visitor.notice()).to_contain_text("digits is not here any more")
    visitor.page.get_by_role("button", name="Use digits-2 instead").click()
    expect(visitor.label("digits-2")).to_have_text("7")
    expect(visitor.notice()).to_be_empty()


def test_an_empty_catalogue_is_said_and_a_model_that_comes_is_used(visit, page_url: str, seven: Path) -> None:
    visitor = visit(page_url)
    visitor.catalogue()
    visitor.open()
    expect(visitor.notice()).to_contain_text("There is no model here yet")
    visitor.show(seven)
    visitor.catalogue(digits="ready")
    visitor.page.evaluate("dispatchEvent(new Event('online'))")
    expect(visitor.label("digits")).to_have_text("7")


def test_a_model_that_was_unloaded_between_two_looks_is_said(visitor: Visitor, seven: Path) -> None:
    visitor.page.route(PREDICT, lambda route: route.fulfill(status=404, json={"error": "model 'digits' is not there"}))
    visitor.show(seven)
    expect(visitor.answer("digits")).to_contain_text("There is no model “digits” any more. Choose another one.")
