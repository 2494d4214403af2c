"""Somebody who visits the page, in a browser of their own."""

import base64
import re
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, expect

HTML = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
"""What a proxy answers."""
PREDICT = re.compile(r"/predict(\?|$)")
CATALOGUE = re.compile(r"/catalogue$")
MAKE_TRANSFER = """files => {
    const transfer = new DataTransfer();
    for (const [name, bytes] of files) {
        transfer.items.add(new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], name, {type: "image/png"}));
    }
    return transfer;
}"""


class Visitor:
    """A page that is open, and what its reader sees and does."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self) -> "Visitor":
        """Open the page, and wait until it knows its models."""
        self.page.goto(self.url)
        expect(self.page.locator("#model option").first).not_to_have_text("looking …")
        return self

    def choose(self, model: str) -> None:
        self.page.get_by_label("Model", exact=True).select_option(model)

    def compare(self, model: str) -> None:
        self.page.get_by_label("Compare with").select_option(model)

    def show(self, *pictures: Path) -> None:
        """Pick pictures, as from the dialog of the browser."""
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Choose pictures").click()
        chooser.value.set_files(pictures)

    def transfer(self, event: str, *pictures: Path) -> None:
        """Drop or paste pictures, or drag them over the page."""
        files = [(path.name, base64.b64encode(path.read_bytes()).decode()) for path in pictures]
        transfer = self.page.evaluate_handle(MAKE_TRANSFER, files)
        if event == "paste":
            paste = "data => document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}))"
            self.page.evaluate(paste, transfer)
        else:
            self.page.dispatch_event("main", event, {"dataTransfer": transfer})

    def answer(self, model: str) -> Locator:
        """What a model says of the picture that is shown in large."""
        return self.page.get_by_role("region", name=model, exact=True)

    @property
    def asked(self) -> int:
        """How often a model was asked for labels."""
        return sum(bool(PREDICT.search(url)) for url in self.requests)

    def label(self, model: str) -> Locator:
        """The label that a model gives, in large."""
        return self.answer(model).locator(".label:not(.waiting)")

    def notice(self) -> Locator:
        """What is said above the pictures."""
        return self.page.locator("#notices")

    def cards(self) -> Locator:
        """The cards of many pictures."""
        return self.page.get_by_role("region", name="Pictures", exact=True).locator(".card")

    def spoken(self) -> Locator:
        """What a screen reader was told last."""
        return self.page.get_by_role("status")

    def refuse(self, status: int, *, times: int | None = None, **answer: Any) -> None:
        """Let the next ``times`` pictures get another answer than the model's."""
        self.page.route(PREDICT, lambda route: route.fulfill(status=status, **answer), times=times)

    def catalogue(self, **states: str) -> None:
        """Let the catalogue say something else."""
        models = [{"id": name, "state": state} for name, state in states.items()]
        self.page.unroute(CATALOGUE)
        self.page.route(CATALOGUE, lambda route: route.fulfill(json={"models": models, "max_body_bytes": 1 << 25}))

    def violations(self) -> str:
        """What axe finds wrong."""
        results = Axe().run(self.page)
        return results.generate_report() if results.violations_count else ""

    def overflow(self) -> int:
        """How many pixels the page is wider than what it is seen through."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def _hear(self, message: ConsoleMessage) -> None:
        # the browser itself notes each refused request; what the page makes of it is tested
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)
