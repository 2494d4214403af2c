"""Each refusal has its own words, is not sent again, and leaves a button to try it again where that can help."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect
from visitor import CATALOGUE, HTML, PREDICT, Visitor

WORDS: dict[str, tuple[dict[str, Any], str]] = {
    "400": ({"status": 400, "json": {"error": "the JPEG ends early"}}, "Not labelled: the JPEG ends early"),
    "400 of a proxy": ({"status": 400, "body": HTML}, "Not labelled: the server could not read the picture"),
    "401": ({"status": 401, "body": HTML}, "You are not let in (401). Sign in, then reload this page."),
    "413": ({"status": 413, "json": {"error": "the body is over 9 bytes"}}, "Not labelled: the body is over 9 bytes"),
    "413 of a proxy": ({"status": 413, "body": HTML}, "The picture is too large: it has"),
    "415": ({"status": 415, "json": {"error": "TIFF is not read"}}, "Not labelled: TIFF is not read"),
    "415 of a proxy": ({"status": 415, "body": HTML}, "JPEG, PNG and WebP are"),
    "500": ({"status": 500, "json": {"error": "Traceback"}}, "The server failed at this picture (500)."),
    "200 of a proxy": ({"status": 200, "body": HTML}, "What answered was not the model but something in front of it"),
    "302 to sign in": ({"status": 302, "headers": {"Location": "https://sign-in.example"}}, "or a sign-in page."),
    "200 without labels": ({"status": 200, "json": {"predictions": []}}, "What answered was not the model"),
}


def test_a_refusal_is_said_once_and_can_be_tried_again_where_that_can_help(
    visitor: Visitor, seven: Path, subtests: pytest.Subtests
) -> None:
    shown = visitor.answer("digits")
    for case, (answer, words) in WORDS.items():
        with subtests.test(case):
            asked = visitor.asked
            visitor.refuse(**answer)
            visitor.show(seven)
            expect(shown).to_contain_text(words)
            expect(visitor.spoken()).to_contain_text(words)
            expect(shown).not_to_contain_text("nginx")
            expect(shown).not_to_contain_text("Traceback")
            assert visitor.asked == asked + 1
            visitor.page.unroute(PREDICT)
            again = shown.get_by_role("button", name="Try again")
            if answer["status"] in (400, 413, 415):
                expect(again).to_have_count(0)
                continue
            again.click()
            expect(visitor.label("digits")).to_have_text("7")


UNREAD = {
    "an AVIF": b"\0\0\0\x20ftypavif\0\0\0\0",
    "a HEIC photo": b"\0\0\0\x18ftypheic\0\0\0\0",
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
    "text": "Größe: klein\n".encode() * 99,
}


def test_a_file_of_a_kind_that_is_not_read_is_named_and_not_sent(visitor: Visitor, seven: Path, tmp_path: Path) -> None:
    kinds = [(f"This is {what}; JPEG, PNG and WebP are read.", data) for what, data in UNREAD.items()]
    for encoding, what in (("GIF", "a GIF"), ("BMP", "a BMP"), ("TIFF", "a TIFF")):
        Image.open(seven).save(tmp_path / what, encoding)
        kinds.append((f"This is {what}; JPEG, PNG and WebP are read.", (tmp_path / what).read_bytes()))
    for words, data in [*kinds, ("The file is empty.", b"")]:
        (tmp_path / "file.png").write_bytes(data)
        visitor.transfer("drop", tmp_path / "file.png")
        expect(visitor.answer("digits").locator(".refused")).to_have_text(words)
        expect(visitor.answer("digits").get_by_role("button")).to_have_count(0)
    assert visitor.asked == 0


def test_what_is_read_is_sent_whatever_its_name(visitor: Visitor, seven: Path, tmp_path: Path) -> None:
    for encoding in ("JPEG", "PNG", "WEBP"):
        Image.open(seven).convert("RGB").save(tmp_path / "seven.gif", encoding)
        visitor.transfer("drop", tmp_path / "seven.gif")
        expect(visitor.label("digits")).to_have_text("7")
    assert visitor.asked == 3


def test_two_models_that_refuse_alike_say_it_once(visitor: Visitor, seven: Path) -> None:
    visitor.compare("digits-2")
    visitor.refuse(500)
    visitor.show(seven, seven)
    expect(visitor.page.get_by_text("0 of 2 labelled, 2 not")).to_be_visible()
    expect(visitor.cards().locator(".refused")).to_have_count(2)
    visitor.page.unroute(PREDICT)
    visitor.page.get_by_role("button", name="Try 7-0.png again at digits and digits-2").first.click()
    expect(visitor.cards().first).to_contain_text("they agree")


def test_the_models_own_sentence_on_a_file_that_is_no_picture(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_bytes(b"\x7fno picture\0")
    visitor.show(path)
    expect(visitor.answer("digits")).to_contain_text("Not labelled: ")
    expect(visitor.answer("digits")).to_contain_text("JPEG, PNG or WebP")
    expect(visitor.page.get_by_text("no preview")).to_be_visible()


def test_a_picture_over_the_limit_is_not_even_sent(visit, page_url: str, seven: Path) -> None:
    visitor = visit(page_url)
    models = [{"id": "digits", "state": "ready"}]
    visitor.page.route(CATALOGUE, lambda route: route.fulfill(json={"models": models, "max_body_bytes": 100}))
    visitor.open()
    visitor.show(seven)
    expect(visitor.answer("digits")).to_contain_text("and at most 100 bytes are taken. Make it smaller first.")
    assert visitor.asked == 0


def test_a_slow_upload_is_sent_again_a_few_times_and_then_refused(visitor: Visitor, seven: Path) -> None:
    visitor.page.clock.install()
    visitor.refuse(408, json={"error": "the body took longer than 30 seconds"})
    visitor.show(seven)
    for number in (1, 2):
        expect(visitor.answer("digits")).to_contain_text("Sending it again …")
        visitor.page.clock.fast_forward(1500 * 2**number + 100)
    expect(visitor.answer("digits")).to_contain_text("The upload took too long.")
    assert visitor.asked == 3


def test_one_of_many_is_refused_and_the_others_labelled(visitor: Visitor, seven: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(seven.read_bytes()[:60])
    visitor.show(seven, bad, seven)
    expect(visitor.page.get_by_text("2 of 3 labelled, 1 not")).to_be_visible()
    expect(visitor.cards().nth(1)).to_contain_text("Not labelled: ")
    expect(visitor.cards().nth(1).get_by_role("button", name="Try bad.png again at digits")).to_have_count(0)
    expect(visitor.spoken()).to_have_text("2 pictures labelled, 1 not.")
