"""A run as an HTML page: complete, well-formed, loads nothing, escapes everything, no secret."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import click
import pytest

from orchestrator.cli import group
from orchestrator.cli.commands import apply
from orchestrator.cli.results import write_reports
from orchestrator.model.coverage import State
from orchestrator.model.registration import Registration
from orchestrator.redaction import keep_out
from orchestrator.report import formats_of_run, render_run
from orchestrator.report.coverage_tree import tree
from orchestrator.verify.model import Status
from tests import pages

_VOID = {"meta", "img", "br", "link", "input", "hr"}
_LOADING = {"src", "srcset", "data", "poster", "background", "action", "formaction", "xlink:href"}


class Document(HTMLParser):
    """Elements, attributes and text; an element that is not closed in its place is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.errors: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        self.errors += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if len(attrs) != len(dict(attrs)):
            self.errors.append(f"<{tag}> has an attribute twice: {attrs}")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.errors.append(f"</{tag}> closes nothing at {self.getpos()}")

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


PAGES = {
    "verified": pages.page_of(5, healthy=True),
    "applied": pages.page_of(300, plan=True),
    "no linked accounts": pages.page_of(0),
    "planned": pages.plan_page(),
    "refused": pages.plan_page(refused=True),
    "preflight": pages.preflight_page(),
    "hostile preflight": pages.preflight_page(name=pages.HOSTILE),
    "hostile": pages.page_of(20, plan=True, name=pages.HOSTILE),
}


@pytest.fixture(params=PAGES, name="html")
def _html(request) -> str:
    return render_run(PAGES[request.param], "html")


def test_every_element_is_closed_in_its_place_and_every_id_is_unique(html):
    document = Document(html)
    assert document.errors == []
    ids = Counter(a["id"] for _, a in document.elements if "id" in a)
    assert [name for name, count in ids.items() if count > 1] == []
    targets = {a["href"] for a in document.all("a")} | {
        f"#{a['aria-labelledby']}" for _, a in document.elements if "aria-labelledby" in a
    }
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_nothing_is_loaded_and_nothing_runs(html):
    document = Document(html)
    tags = {tag for tag, _ in document.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in document.elements:
        assert not _LOADING & attributes.keys(), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"url\(|@import|@font-face", style)
    (policy,) = [a for a in document.all("meta") if a.get("http-equiv")]
    assert "default-src 'none'" in policy["content"]
    assert "script-src" not in policy["content"]


def test_the_report_is_a_format_of_every_command_that_plans_or_verifies():
    assert formats_of_run("preflight") == ["html", "json", "text"]
    assert "html" in formats_of_run("plan")
    assert "html" in formats_of_run("verification")


def test_a_preflight_is_shown_with_every_statement_that_denies_and_its_exemption():
    text = Document(render_run(PAGES["preflight"], "html")).text
    assert "✗ problem 3 findings need a fix." in text
    assert "1 of 3 linked accounts is cut off" in text
    assert "the StackSet's deployment is denied in 1 account" in text
    assert "the StackSet's deployment may be denied in 1 account" in text
    assert "arn:aws:iam::*:role/stacksets-exec-*" in text
    assert "222222222222" in text
    assert "→ Grant it." in text


@pytest.mark.parametrize("name", ["hostile", "hostile preflight"])
def test_hostile_names_are_text_and_do_not_turn_the_direction_of_the_rest(name):
    html = render_run(PAGES[name], "html")
    assert "<script" not in html
    assert "\u202e" not in html
    assert "{{7*7}}" in Document(html).text


def test_every_check_is_shown_with_its_promise_its_evidence_and_its_fix():
    page = PAGES["applied"]
    text = Document(render_run(page, "html")).text
    for result in page.report.results:
        assert result.id in text
        assert result.promise in text
        assert result.finding.hint in text
    assert "s3:ListBucket" in text


def test_a_status_that_the_page_does_not_know_is_shown_by_its_word():
    class Odd:
        value = "peculiar_status"

    report = pages.report_of(None)
    odd = replace(report.results[0], finding=replace(report.results[0].finding, status=Odd()))
    page = replace(pages.page_of(0), report=replace(report, results=(odd, *report.results[1:])))
    assert "peculiar status" in Document(render_run(page, "html")).text


def test_the_plan_is_shown_with_its_actions_and_the_guards_verdict():
    text = Document(render_run(PAGES["planned"], "html")).text
    assert "Plan: 1 to import, 2 to add, 2 to change, 1 to destroy." in text
    for change in PAGES["planned"].review.plan.changes:
        assert change.address in text
    assert "Guard: allowed" in text
    assert "Register account 111122223333 with Octo." in text
    refused = Document(render_run(PAGES["refused"], "html")).text
    assert "Guard: refused" in refused
    assert "Octo could no longer reach the account" in refused


def test_what_was_asked_and_how_to_repeat_it_are_there():
    text = Document(render_run(PAGES["verified"], "html")).text
    assert "use stackset true" in text
    assert "octo-tf verify --tag 'team=Acme'" in text


def test_every_linked_account_is_there_in_its_unit_with_its_reason():
    coverage = pages.coverage_of(300)
    text = Document(render_run(PAGES["applied"], "html")).text
    for account in coverage.accounts:
        assert account.account_id in text
        assert account.reason in text
    for unit in coverage.units.values():
        assert unit.name in text


def test_the_tree_counts_every_account_once():
    coverage = pages.coverage_of(300)
    branches = tree(coverage)
    counted: Counter[State] = Counter()
    for branch in branches:
        counted.update(branch.counts)
    assert counted == Counter(account.state for account in coverage.accounts)
    assert [branch.name for branch in branches] == ["Root", "no longer in the organization"]


def test_deliveries_are_a_plot_and_a_list():
    document = Document(render_run(PAGES["verified"], "html"))
    deliveries = PAGES["verified"].report.record.deliveries
    assert len(document.all("circle")) == len(deliveries)
    assert {a["datetime"] for a in document.all("time")} >= set(deliveries)
    for circle in document.all("circle"):
        assert 0 <= float(circle["cx"]) <= 720
        assert 0 <= float(circle["cy"]) <= 130


def test_five_thousand_accounts_fit_in_a_page_that_opens_at_once():
    started = time.process_time()
    html = render_run(pages.page_of(5000, plan=True), "html")
    assert time.process_time() - started < 10  # seconds; half a second on a quiet machine
    assert len(html) < 1_000_000
    assert "200000004999" in html


def test_the_plans_inputs_are_not_in_a_page(html):
    assert pages.SECRET not in html


def test_a_secret_of_the_process_is_not_in_a_page_wherever_it_comes_from(monkeypatch):
    monkeypatch.setattr("orchestrator.redaction._secrets", set())
    page = pages.page_of(5, name=pages.SECRET)
    assert pages.SECRET in render_run(page, "html")
    keep_out(pages.SECRET)
    assert pages.SECRET not in render_run(page, "html")


def test_a_page_of_a_run_in_which_everything_passes_has_nothing_to_do():
    document = Document(render_run(PAGES["verified"], "html"))
    assert "What to do" not in document.text
    assert {r.finding.status for r in PAGES["verified"].report.results} == {Status.PASS}


def test_a_command_writes_what_was_asked_and_how_to_repeat_it_without_the_external_id(tmp_path):
    parent = click.Context(group, info_name="octo-tf")
    ctx = click.Context(apply.command, info_name="apply", parent=parent)
    file = tmp_path / "run.html"
    given = ["--external-id", pages.SECRET, "--tag", "team=x", "--yes", "--report", f"html={file}"]
    apply.command.parse_args(ctx, given)
    registration = Registration(
        account_id=pages.PAYER, external_id=pages.SECRET, tags={"team": "x"}, use_stackset=True
    )
    page = PAGES["applied"]
    with ctx:
        write_reports(
            SimpleNamespace(registration=registration),
            ctx.params["reports"],
            review=page.review,
            report=page.report,
        )
    html = file.read_text()
    assert pages.SECRET not in html
    text = Document(html).text
    (line,) = re.findall(r"wrote this page (octo-tf apply .*?) Verify again", text)
    assert set(line.split()) == {
        *("octo-tf", "apply", "--report", f"html={file}", "--tag", "team=x", "--yes")
    }
    assert "Verify again; nothing changes octo-tf verify" in text
    assert "Apply exactly this plan octo-tf apply --plan tfplan" in text
    assert "tags team : x" in text or "tags team: x" in text
