"""Models that are down, loading or overloaded: said in words, pictures kept, and gone on with by itself."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from servers import Server, free_port, running_server, start_server
from stage import running_frontend
from visitor import HTML, PREDICT, Visitor

TRACE = "Traceback"
TIMEOUT_BY_THE_CLOCK = """AbortSignal.timeout = milliseconds => {
    const limit = new AbortController();
    setTimeout(() => limit.abort(new DOMException("late", "TimeoutError")), milliseconds);
    return limit.signal;
}"""
SHUT_TWICE = """async random => {
    const { Gate } = await import("/page/gate.js");
    Math.random = () => random;
    performance.now = () => 0;
    return [0, 20].map(retryAfter => {
        const gate = new Gate();
        gate.shut({title: "away", retryAfter}, 0);
        return gate.until;
    });
}"""


@pytest.fixture
def mortal(models_url: str, colour_bundle: Path, tmp_path: Path) -> Iterator[tuple[str, Server, list[str]]]:
    """A page over digits, which stay, and colours, whose server can be killed and started again."""
    command = ["--models", str(colour_bundle), "--http-port", str(free_port())]
    colours = start_server(tmp_path / "colours.log", *command)
    try:
        with running_frontend(tmp_path, {"digits": models_url, "colours": colours.url}) as url:
            yield url, colours, command
    finally:
        colours.process.kill()
        colours.process.wait()


def test_a_killed_server_is_said_and_gone_on_with_when_it_is_back(
    mortal: tuple[str, Server, list[str]], visit, photos: dict[str, Path], tmp_path: Path
) -> None:
    url, colours, command = mortal
    visitor = visit(url)
    visitor.choose("colours")
    visitor.show(photos["red"])
    expect(visitor.label("colours")).to_have_text("red")

    colours.process.kill()
    colours.process.wait()
    visitor.show(photos["blue"], photos["green"])
    expect(visitor.notice()).to_contain_text("colours is down")
    expect(visitor.notice()).to_contain_text("The 2 pictures are kept.")
    expect(visitor.spoken()).to_contain_text("colours is down")
    expect(visitor.page.get_by_label("Model", exact=True).get_by_role("option", name="colours · down")).to_be_attached()
    expect(visitor.page.locator("body")).not_to_contain_text(TRACE)

    visitor.choose("digits")
    expect(visitor.page.get_by_text("2 of 2 labelled")).to_be_visible()
    visitor.choose("colours")
    expect(visitor.notice()).to_contain_text("colours is down")

    with running_server(tmp_path / "again.log", *command):
        expect(visitor.cards().nth(0).locator(".name")).to_have_text("blue", timeout=20_000)
        expect(visitor.cards().nth(1).locator(".name")).to_have_text("green")
        expect(visitor.notice()).not_to_contain_text("down")


def test_a_page_whose_own_server_was_killed_goes_on_when_it_is_back(
    models_url: str, visit, photos: dict[str, Path], tmp_path: Path
) -> None:
    models, port = {"colours": models_url}, ("--port", str(free_port()))
    with running_frontend(tmp_path, models, *port) as url:
        visitor = visit(url)
        visitor.show(photos["red"])
        expect(visitor.label("colours")).to_have_text("red")
    visitor.show(photos["blue"])
    expect(visitor.notice()).to_contain_text("reach its server")
    expect(visitor.answer("colours")).to_contain_text("The picture is kept, and is labelled as soon as it can")
    with running_frontend(tmp_path, models, *port):
        expect(visitor.label("colours")).to_have_text("blue", timeout=20_000)
        expect(visitor.notice()).not_to_contain_text("reach")


def hold_still(visitor: Visitor) -> Page:
    """Let time pass only where the test says so, and no wait be longer than it must."""
    visitor.page.clock.install()
    visitor.page.evaluate("Math.random = () => 0")
    return visitor.page


AWAY: dict[str, dict[str, Any]] = {
    "digits is down": {"status": 502, "body": HTML, "content_type": "text/html"},
    "What answers in its place is a proxy": {"status": 503, "body": HTML, "content_type": "text/html"},
    "answer in time": {"status": 504, "body": "upstream request timeout"},
    "digits is loading": {"status": 503, "json": {"error": "model 'digits' is loading"}},
    "digits is overloaded": {"status": 503, "json": {"error": "the deadline can't be met: 90 images wait"}},
    "digits is being restarted": {"status": 503, "json": {"error": "the server is stopping"}},
}


def test_a_model_that_is_away_is_tried_again_until_it_is_back(
    visitor: Visitor, seven: Path, subtests: pytest.Subtests
) -> None:
    for words, answer in AWAY.items():
        with subtests.test(words):
            asked = visitor.asked
            visitor.refuse(**answer, times=1)
            visitor.show(seven)
            expect(visitor.notice()).to_contain_text(words)
            expect(visitor.answer("digits")).to_contain_text("The picture is kept, and is labelled as soon as it can")
            expect(visitor.page.locator("body")).not_to_contain_text("nginx")
            expect(visitor.label("digits")).to_have_text("7")
            expect(visitor.notice()).to_be_empty()
            expect(visitor.spoken()).to_contain_text("digits is back.")
            assert visitor.asked == asked + 2


def test_a_network_that_fails_is_said_and_tried_at_once_when_it_is_back(visitor: Visitor, seven: Path) -> None:
    visitor.context.set_offline(True)
    visitor.show(seven)
    expect(visitor.notice()).to_contain_text("You are offline")
    visitor.context.set_offline(False)
    expect(visitor.label("digits")).to_have_text("7")


def test_a_busy_model_is_tried_again_after_the_time_that_it_names(visitor: Visitor, seven: Path) -> None:
    page = hold_still(visitor)
    visitor.refuse(429, times=1, json={"error": "the queue is full"}, headers={"Retry-After": "20"})
    visitor.show(seven)
    expect(visitor.notice()).to_contain_text("digits is busy")
    expect(visitor.notice()).to_contain_text("Too many pictures wait for it already. The picture is kept.")
    expect(visitor.notice()).to_contain_text("Trying again in 20 s.")
    page.clock.run_for(12_000)
    expect(visitor.notice()).to_contain_text("Trying again in 8 s.")
    expect(visitor.page.get_by_label("Model", exact=True).get_by_role("option", name="digits · busy")).to_be_attached()
    assert visitor.asked == 1
    page.clock.run_for(9_000)
    expect(visitor.label("digits")).to_have_text("7")


def test_an_answer_that_never_comes_is_given_up_and_asked_for_again(visitor: Visitor, seven: Path) -> None:
    page = hold_still(visitor)
    page.evaluate(TIMEOUT_BY_THE_CLOCK)
    page.route(PREDICT, lambda _: None, times=1)
    visitor.show(seven)
    expect(visitor.answer("digits")).to_contain_text("Looking …")
    page.clock.fast_forward(60_000)
    expect(visitor.answer("digits")).to_contain_text("Looking …")
    page.clock.fast_forward(16_000)
    expect(visitor.notice()).to_contain_text("No answer came for 75 seconds. The picture is kept.")
    page.clock.run_for(2_000)
    expect(visitor.label("digits")).to_have_text("7")


def test_a_model_is_not_judged_by_its_name(visit, page_url: str, seven: Path) -> None:
    visitor = visit(page_url)
    names = ("unloading-bay", "busy-streets")
    visitor.catalogue(**dict.fromkeys(names, "ready"))
    visitor.open()
    for name in names:
        visitor.refuse(503, json={"error": f"model '{name}' can't be reached, it may be starting; try again"})
        visitor.choose(name)
        visitor.show(seven)
        expect(visitor.notice()).to_contain_text(f"{name} is down")
        expect(visitor.notice()).to_contain_text(f"Model '{name}' can't be reached, it may be starting.")


def test_an_error_that_is_nothing_but_advice_is_shown_as_it_came(visitor: Visitor, seven: Path) -> None:
    visitor.refuse(503, json={"error": "; try again in a moment"})
    visitor.show(seven)
    expect(visitor.notice()).to_contain_text("; try again in a moment. The picture is kept.")
    assert visitor.page.evaluate("import('/page/notices.js').then(({ asSentence }) => asSentence(''))") == ""


@pytest.mark.parametrize(("random", "until"), [(0, [1000, 20_000]), (0.5, [1250, 20_250])])
def test_pages_that_were_refused_together_do_not_return_together(
    visitor: Visitor, random: float, until: list[int]
) -> None:
    assert visitor.page.evaluate(SHUT_TWICE, random) == until


def test_one_picture_tries_before_the_others_when_a_model_is_back(
    visit, page_url: str, photos: dict[str, Path], seven: Path
) -> None:
    held, holding = [], True
    visitor = visit(page_url)
    visitor.catalogue(digits="loading")
    visitor.open()
    visitor.page.route(PREDICT, lambda route: held.append(route) if holding else route.continue_())
    visitor.show(*photos.values(), seven)
    expect(visitor.page.locator(".card[data-status=asking]")).to_have_count(1)  # the time of the gate itself has come
    visitor.catalogue(digits="ready")
    expect(visitor.page.locator(".card[data-status=asking]")).to_have_count(2)  # and one more, for the first may hang
    expect(visitor.page.locator(".card[data-status=waiting]")).to_have_count(2)
    holding = False
    for route in held:
        route.continue_()
    expect(visitor.page.get_by_text("4 of 4 labelled")).to_be_visible()


def test_a_card_that_did_not_come_is_asked_for_again(visit, page_url: str) -> None:
    visitor = visit(page_url)
    visitor.page.route("**/model/digits", lambda route: route.fulfill(status=503, body=HTML), times=2)
    visitor.open()
    about = visitor.page.get_by_role("region", name="About digits")
    expect(about).to_contain_text("Its card has not come yet.")
    expect(about).to_contain_text("scikit-learn digits", timeout=10_000)


def test_a_card_that_hangs_is_given_up_and_asked_for_again(visit, page_url: str) -> None:
    visitor = visit(page_url)
    page = hold_still(visitor)
    page.add_init_script(TIMEOUT_BY_THE_CLOCK)
    page.route("**/model/digits", lambda _: None, times=1)
    with page.expect_request("**/model/digits"):
        visitor.open()
    page.clock.run_for(80_000)
    expect(page.get_by_role("region", name="About digits")).to_contain_text("scikit-learn digits")


def test_try_now_does_not_wait(visitor: Visitor, seven: Path) -> None:
    visitor.refuse(503, times=1, json={"error": "busy"}, headers={"Retry-After": "200"})
    visitor.show(seven)
    visitor.page.get_by_role("button", name="Try now").click()
    expect(visitor.label("digits")).to_have_text("7")


def test_pictures_of_one_model_knock_one_at_a_time_while_it_is_away(
    visitor: Visitor, photos: dict[str, Path], seven: Path
) -> None:
    page = hold_still(visitor)
    visitor.refuse(503, body=HTML)
    visitor.show(*photos.values(), seven)
    expect(page.locator(".card[data-status=waiting]")).to_have_count(4)
    asked = []
    for seconds in (1, 2, 4, 8, 15, 15):
        asked.append(visitor.asked)
        with page.expect_response(PREDICT):
            page.clock.run_for(1000 * seconds + 200)
    assert asked[0] == 4
    assert [later - sooner for sooner, later in itertools.pairwise(asked)] == [1] * 5
    visitor.page.unroute(PREDICT)
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_text("4 of 4 labelled")).to_be_visible()


def test_a_model_that_loads_is_not_asked_before_it_is_ready(visit, page_url: str, seven: Path) -> None:
    visitor = visit(page_url)
    visitor.catalogue(digits="loading")
    visitor.open()
    expect(visitor.notice()).to_contain_text("digits is loading")
    visitor.refuse(503, json={"error": "model 'digits' is loading"}, headers={"Retry-After": "200"})
    visitor.show(seven)
    expect(visitor.answer("digits")).to_contain_text("The picture is kept")
    visitor.page.unroute(PREDICT)
    visitor.catalogue(digits="ready")
    expect(visitor.label("digits")).to_have_text("7")


def test_it_is_said_when_no_model_can_answer(visit, page_url: str) -> None:
    visitor = visit(page_url)
    visitor.catalogue(digits="down", colours="loading")
    visitor.open()
    expect(visitor.notice()).to_contain_text("No model can answer now")
    expect(visitor.notice()).to_contain_text("digits is down, colours is loading")


def test_a_page_whose_server_has_gone_says_so_and_comes_back(visitor: Visitor) -> None:
    visitor.page.route("**/catalogue", lambda route: route.abort())
    visitor.page.evaluate("dispatchEvent(new Event('online'))")
    expect(visitor.notice()).to_contain_text("reach its server")
    visitor.page.unroute("**/catalogue")
    expect(visitor.notice()).to_be_empty()
