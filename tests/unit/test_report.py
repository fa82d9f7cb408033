"""Reports say the same in every format, and follow the rules of Confirm and Finish."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from orchestrator.errors import ExitCode
from orchestrator.model.octo_records import AccountRecord, OctoAnswer
from orchestrator.report import formats, render_verification
from orchestrator.verify.model import Area, CheckResult, Finding, Report, Status

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/report-v1.json").read_text())


def report_of(api: Status, cur: Status, account_type: str = "payer") -> Report:
    results = tuple(
        CheckResult(
            f"{area.value}.thing",
            area,
            "A thing holds.",
            Finding(
                status,
                f"{area.label} says [so].",
                {"a": 1},
                "" if status is Status.PASS else "Fix it.",
            ),
            0.1,
        )
        for area, status in ((Area.API_ACCESS, api), (Area.CUR_S3, cur))
        if status is not Status.SKIPPED
    )
    areas = {Area.API_ACCESS: api, Area.CUR_S3: cur, Area.STACKSET: Status.SKIPPED}
    return Report("111122223333", account_type, "Acme [x]", results, areas)


@pytest.mark.parametrize(
    ("api", "cur", "code", "can_finish"),
    [
        (Status.PASS, Status.PASS, ExitCode.DONE, True),
        (Status.PASS, Status.PENDING, ExitCode.VERIFICATION_PENDING, True),
        (Status.PASS, Status.FAIL, ExitCode.VERIFICATION_FAILED, True),
        (Status.PASS, Status.SKIPPED, ExitCode.DONE, True),
        (Status.FAIL, Status.PENDING, ExitCode.VERIFICATION_FAILED, False),
        (Status.PENDING, Status.PASS, ExitCode.VERIFICATION_PENDING, False),
    ],
)
def test_finishing_depends_on_api_access_and_the_exit_code_on_everything(
    api, cur, code, can_finish
):
    report = report_of(api, cur)
    assert report.exit_code is code
    assert report.can_finish is can_finish
    document = json.loads(render_verification(report, "json"))
    jsonschema.validate(document, SCHEMA)
    assert document["can_finish"] is can_finish


def test_a_warning_is_shown_and_counted_and_fails_only_when_strict():
    report = report_of(Status.PASS, Status.WARN)
    report = replace(report, areas={**report.areas, Area.CUR_S3: Status.PASS})
    assert (report.exit_code, report.can_finish) == (ExitCode.DONE, True)
    assert report.strict_exit_code is ExitCode.VERIFICATION_FAILED
    document = json.loads(render_verification(report, "json"))
    jsonschema.validate(document, SCHEMA)
    assert (document["status"], document["warnings"]) == ("pass", 1)
    table = render_verification(report, "table")
    assert "! warn" in table
    assert "API access passes (1 warning)." in table
    assert "⚠️ warn" in render_verification(report, "markdown")


def test_the_table_shows_hints_areas_and_what_is_left():
    text = render_verification(report_of(Status.PASS, Status.PENDING), "table")
    assert "cur_s3.thing" in text
    assert "→ Fix it." in text
    assert "API access says [so]." in text  # square brackets are no markup
    assert "API access passes (CUR and S3 is pending)." in text


def test_a_linked_account_finishes_on_api_access():
    text = render_verification(report_of(Status.PASS, Status.SKIPPED, "linked"), "table")
    assert "the payer has it" in text
    assert "API access passes." in text


def test_without_api_access_there_is_no_finishing():
    text = render_verification(report_of(Status.FAIL, Status.PASS), "table")
    assert "Not finished: API access must pass first." in text


def test_colors_are_there_only_when_asked_for():
    report = report_of(Status.PASS, Status.FAIL)
    assert "\x1b[" not in render_verification(report, "table")
    assert "\x1b[" in render_verification(report, "table", color=True)


def test_formats_are_found_by_their_place():
    assert formats("verification") == ["json", "junit", "markdown", "table"]
    assert formats("plan") == ["json", "markdown", "text"]
    with pytest.raises(KeyError):
        render_verification(report_of(Status.PASS, Status.PASS), "sculpture")


def test_junit_counts_failures_and_holds_what_cannot_be_written():
    report = report_of(Status.FAIL, Status.PENDING)
    odd = replace(report.results[0].finding, summary="NUL \x00 and <tag>")
    results = (replace(report.results[0], finding=odd), *report.results[1:])
    top = ElementTree.fromstring(render_verification(replace(report, results=results), "junit"))
    suites = {suite.get("name"): suite for suite in top}
    failed = suites["111122223333.api_access"]
    assert (failed.get("tests"), failed.get("failures")) == ("1", "1")
    assert failed.find("testcase/failure").get("message") == "NUL \ufffd and <tag>"
    pending = suites["111122223333.cur_s3"].find("testcase/skipped")
    assert pending.get("message").startswith("pending: ")


def test_markdown_shows_what_needs_attention_and_interprets_nothing():
    text = render_verification(report_of(Status.FAIL, Status.PASS), "markdown")
    assert "<!-- octo-tf verify 111122223333 -->" in text
    assert "`Acme [x]`" in text
    assert r"API access says \[so\]." in text
    assert "1 of 2 checks passes." in text
    assert "API access must pass first" in text


@pytest.mark.parametrize(
    ("state", "code", "can_finish", "words"),
    [
        ("confirmed", ExitCode.DONE, True, "✓ confirmed"),
        ("by_hand", ExitCode.DONE, True, "Check and Confirm for API access"),
        (
            "not_registered",
            ExitCode.VERIFICATION_PENDING,
            False,
            "Not registered with Octo. Do so.",
        ),
        ("left", ExitCode.DONE, False, "Octo must confirm API access first"),
        ("refused", ExitCode.VERIFICATION_FAILED, False, "✗ refused"),
        ("pending", ExitCode.VERIFICATION_PENDING, False, "… pending"),
        ("unreachable", ExitCode.VERIFICATION_PENDING, False, "? not reached"),
    ],
)
def test_what_octo_says_is_in_every_format_and_in_the_exit_code(state, code, can_finish, words):
    answer = OctoAnswer(state=state, at="2026-01-01T00:00:00+00:00", reason="[why]", hint="Do so.")
    report = replace(report_of(Status.PASS, Status.SKIPPED), octo={Area.API_ACCESS: answer})
    assert (report.exit_code, report.can_finish) == (code, can_finish)
    document = json.loads(render_verification(report, "json"))
    jsonschema.validate(document, SCHEMA)
    assert document["octo"] == {"api_access": {"state": state, "reason": "[why]", "hint": "Do so."}}
    assert words in " ".join(render_verification(report, "table").split())
    assert "why" in render_verification(report, "markdown")
    suites = ElementTree.fromstring(render_verification(report, "junit")).findall("testsuite")
    shown = [suite for suite in suites if suite.get("name") == "111122223333.octo"]
    assert len(shown) == (0 if state == "by_hand" else 1)
    for suite in shown:
        assert suite.get("failures") == ("1" if state == "refused" else "0")
        assert suite.get("skipped") == (
            "1" if state in ("pending", "unreachable", "not_registered", "left") else "0"
        )


def noted(**fields):
    return AccountRecord(
        account_id="111122223333",
        account_name="Acme",
        statuses={"api_access": "pass", "cur_s3": "pass"},
        **fields,
    )


def test_an_account_that_left_is_said_to_have_left_and_ends_by_what_aws_shows():
    left = "2026-01-02T00:00:00+00:00"
    answer = OctoAnswer(state="left", at=left, reason="It left.", hint="To register it again: ...")
    report = replace(
        report_of(Status.PASS, Status.SKIPPED),
        octo={Area.API_ACCESS: answer},
        record=noted(left_at=left),
    )
    assert report.exit_code is ExitCode.DONE
    assert "The account left Octo on 2026-01-02. To register it again: ..." in " ".join(
        render_verification(report, "table").split()
    )
    document = json.loads(render_verification(report, "json"))
    jsonschema.validate(document, SCHEMA)
    assert document["registration"]["left_at"] == left
    failing = replace(report_of(Status.FAIL, Status.SKIPPED), record=noted(left_at=left))
    assert failing.exit_code is ExitCode.VERIFICATION_FAILED
    assert "left Octo on 2026-01-02" in render_verification(failing, "markdown")


def test_what_is_done_by_hand_begins_with_the_registration_and_ends_with_finishing():
    by_hand = OctoAnswer(state="by_hand", at="2026-01-01T00:00:00+00:00")
    report = replace(
        report_of(Status.PASS, Status.PASS),
        octo={Area.API_ACCESS: by_hand, Area.CUR_S3: by_hand},
        record=noted(),
    )
    assert (
        "API access passes. To be done in Octo by hand: Register Account; Check and Confirm for API"
        " access; Check and Confirm for CUR and S3; Confirm and Finish."
    ) in " ".join(render_verification(report, "table").split())


def test_settings_that_were_not_applied_are_in_every_format_and_fail():
    report = replace(report_of(Status.PASS, Status.PASS), unapplied=("tags", "use_stackset"))
    assert report.exit_code is ExitCode.VERIFICATION_FAILED
    document = json.loads(render_verification(report, "json"))
    jsonschema.validate(document, SCHEMA)
    assert document["unapplied"] == ["tags", "use_stackset"]
    for name in ("table", "markdown", "junit"):
        text = " ".join(render_verification(report, name).split())
        assert "(tags, use\\_stackset)" in text or "(tags, use_stackset)" in text, name


def test_a_report_without_octo_says_nothing_of_it():
    report = report_of(Status.PASS, Status.SKIPPED)
    assert "Octo" not in render_verification(report, "table")
    assert json.loads(render_verification(report, "json"))["octo"] == {}
