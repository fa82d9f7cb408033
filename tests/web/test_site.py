"""The documentation as a site: it builds without a warning, and every link leads somewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]


class Links(HTMLParser):
    """A page's anchors, its links, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors |= {attributes["id"]} if attributes.get("id") else set()
        if tag == "a":
            self.links += [attributes["href"]] if attributes.get("href") else []
        else:
            self.loads += [attributes[n] for n in ("src", "href") if attributes.get(n)]


@pytest.fixture(scope="module", name="site")
def _site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, str(ROOT / "docs/site.py"), str(folder / "built")]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "No issues found" in built.stdout + built.stderr
    return folder / "built/html"


@pytest.fixture(scope="module", name="pages")
def _pages(site) -> dict[Path, Links]:
    # 404.html is served at any address, so its links begin at the server's root.
    return {
        path: Links(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
        if path.name != "404.html"
    }


def test_every_page_of_the_documentation_is_in_the_site(site):
    sources = {path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")}
    for source in sources:
        name = "index.html" if source.name == "README.md" else f"{source.stem}.html"
        assert (site / source.parent / name).exists(), source


def test_every_link_leads_to_a_file_and_an_anchor(pages):
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(address.fragment)
            if not target.exists() or (
                anchor and target in pages and anchor not in pages[target].anchors
            ):
                broken.append(f"{path.name}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(pages):
    assert {load for page in pages.values() for load in page.loads if "//" in load} == set()


def test_every_page_is_in_the_contents(pages, site):
    listed = {
        (site / urlsplit(link).path).resolve()
        for link in pages[site / "index.html"].links
        if not urlsplit(link).scheme
    }
    shown = {path for path in pages if path.parts[-2] not in ("examples", "from-published-module")}
    assert {str(path.relative_to(site)) for path in shown - listed} == set()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def test_search_finds_a_page_and_nothing_else_is_asked(browser, site):
    with served(site) as address:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        requests: list[str] = []
        messages: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: messages.append(message.text))
        page.goto(f"{address}/index.html")
        page.keyboard.press("/")
        page.keyboard.type("trusted access", delay=30)
        page.get_by_text("If the upgrade refuses").first.wait_for(timeout=60_000)
        page.close()
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []
    assert messages == []
