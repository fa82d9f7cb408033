"""The report in a real browser: quiet, alone, accessible, on a phone and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orchestrator.report import render_run
from tests import pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGES = {
    "verified": pages.page_of(5, healthy=True),
    "payer of 300": pages.page_of(300, plan=True),
    "refused": pages.plan_page(refused=True),
    "hostile": pages.page_of(20, plan=True, name=pages.HOSTILE),
}
PHONE, DESKTOP = 360, 1200  # pixels
_A4_WIDTH = 210 / 25.4 * 72  # points


@dataclass
class Opened:
    """A page in a browser, with all that it said and asked for."""

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class Reader:
    """Opens pages from files."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser, self._folder = browser, folder
        self._contexts: list[Any] = []

    def open(self, name: str, *, width: int = DESKTOP, scheme: str = "light") -> Opened:
        file = self._folder / "report.html"
        file.write_text(render_run(PAGES[name], "html"), encoding="utf-8")
        return self.open_file(file, width=width, scheme=scheme)

    def open_file(self, file: Path, *, width: int = DESKTOP, scheme: str = "light") -> Opened:
        context = self._browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self._contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.on("console", lambda message: opened.messages.append(message.text))
        opened.page.on("pageerror", lambda error: opened.messages.append(str(error)))
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.goto(file.as_uri())
        return opened

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def reader(browser, tmp_path) -> Iterator[Reader]:
    made = Reader(browser, tmp_path)
    yield made
    made.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG and its best practices."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    response = axe.run(page).response
    assert len(response["passes"]) > 10  # it did look
    return [
        f"{v['id']}: {[n['html'][:200] for n in v['nodes'][:3]]}" for v in response["violations"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_says_nothing_to_the_console_and_asks_for_nothing(reader, name):
    opened = reader.open(name)
    opened.page.wait_for_timeout(200)
    assert opened.messages == []
    assert opened.requests == [opened.page.url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(reader, name, scheme):
    assert violations(reader.open(name, scheme=scheme).page) == []


def test_axe_finds_what_is_wrong(reader, tmp_path):
    file = tmp_path / "wrong.html"
    html = render_run(PAGES["verified"], "html")
    file.write_text(html.replace("--text: #1f2328", "--text: #eee").replace(' lang="en"', ""))
    found = " ".join(violations(reader.open_file(file).page))
    assert "color-contrast" in found
    assert "html-has-lang" in found


def test_dark_and_light_follow_the_reader(reader):
    def background(scheme: str) -> str:
        page = reader.open("verified", scheme=scheme).page
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert background("light") == "rgb(255, 255, 255)"
    assert background("dark") == "rgb(13, 17, 23)"


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_the_screen(reader, name, width):
    page = reader.open(name, width=width).page
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_that_folds_is_reached_and_opened_by_keyboard(reader):
    page = reader.open("payer of 300").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    for _ in range(40):
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
        page.keyboard.press("Tab")
    opened = "document.activeElement.parentElement.open"
    before = page.evaluate(opened)
    page.keyboard.press("Enter")
    assert page.evaluate(opened) is not before


def test_paper_shows_evidence_that_the_screen_folds(reader):
    page = reader.open("verified", scheme="dark").page
    folded = page.locator("dt", has_text="What must hold").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    color = page.evaluate("getComputedStyle(document.body).color")
    assert color == "rgb(31, 35, 40)"  # dark ink, whatever the reader's screen is


def test_an_a4_page_is_filled_and_not_cut_off(reader, tmp_path):
    page = reader.open("payer of 300").page
    document = page.pdf(format="A4", path=tmp_path / "report.pdf")
    assert document.startswith(b"%PDF")
    page.emulate_media(media="print")
    printed = int(_A4_WIDTH / 72 * 96 - 2 * 14 / 25.4 * 96)  # CSS pixels between the margins
    page.set_viewport_size({"width": printed, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= printed


def test_a_payer_of_5000_opens_in_seconds(reader, tmp_path):
    file = tmp_path / "large.html"
    file.write_text(render_run(pages.page_of(5000, plan=True), "html"), encoding="utf-8")
    page = reader.open_file(file, width=PHONE).page
    seconds = page.evaluate("performance.timing.loadEventEnd - performance.timing.fetchStart") / 1e3
    assert seconds < 30  # less than one on a quiet machine
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
