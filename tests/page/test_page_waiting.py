"""Pictures that wait for a model: they stay, whatever comes beside them."""

from pathlib import Path

from playwright.sync_api import expect
from visitor import HTML, PREDICT, Visitor


def test_a_new_picture_does_not_push_out_one_that_waits(visitor: Visitor, photos: dict[str, Path]) -> None:
    visitor.refuse(503, body=HTML)
    visitor.show(photos["red"])
    expect(visitor.notice()).to_contain_text("The picture is kept.")
    visitor.show(photos["blue"])
    expect(visitor.cards()).to_have_count(2)


def test_a_sample_that_waits_stays_and_is_labelled_though_it_is_clicked_twice(visitor: Visitor, seven: Path) -> None:
    visitor.refuse(503, body=HTML)
    for _ in range(2):
        visitor.page.get_by_role("button", name="Sample 4: 3").click()
        expect(visitor.notice()).to_contain_text("The picture is kept.")
    expect(visitor.cards()).to_have_count(0)
    visitor.show(seven)
    expect(visitor.cards()).to_have_count(2)
    visitor.page.unroute(PREDICT)
    visitor.page.get_by_role("button", name="Try now").click()
    expect(visitor.cards().locator(".name")).to_have_text(["7", "3"])


def test_pictures_wait_together_for_the_first_model(visit, page_url: str, photos: dict[str, Path], seven: Path) -> None:
    visitor = visit(page_url)
    visitor.catalogue()
    visitor.open()
    visitor.show(photos["red"])
    visitor.show(seven)
    expect(visitor.cards()).to_have_count(2)
