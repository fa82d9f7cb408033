"""Reports say the same in every format, and follow the rules of Confirm and Finish."""

from __future__ import annotations

import json

import jsonschema
import pytest

from orchestrator.errors import ExitCode
from orchestrator.report import formats, render
from orchestrator.verify.model import Area, CheckResult, Finding, Report, Status

SCHEMA = {
    "type": "object",
    "required": ["schema", "account", "status", "can_finish", "areas", "checks"],
    "additionalProperties": False,
    "properties": {
        "schema": {"const": "octo-tf/report/v1"},
        "account": {"type": "object", "required": ["id", "name", "type"]},
        "status": {"enum": ["pass", "fail", "pending", "skipped"]},
        "can_finish": {"type": "boolean"},
        "areas": {"type": "object", "required": ["api_access", "cur_s3", "stackset"]},
        "checks": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "area", "promise", "status", "summary", "evidence", "hint"],
            },
        },
    },
}


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
                "" if status is Status.PASS else "Mend it.",
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
    document = json.loads(render(report, "json"))
    jsonschema.validate(document, SCHEMA)
    assert document["can_finish"] is can_finish


def test_the_table_shows_hints_areas_and_what_is_left():
    text = render(report_of(Status.PASS, Status.PENDING), "table")
    assert "cur_s3.thing" in text
    assert "→ Mend it." in text
    assert "API access says [so]." in text  # square brackets are no markup
    assert "Confirm and Finish: allowed, API access passes (CUR and S3 is pending)." in text


def test_a_linked_account_finishes_on_api_access():
    text = render(report_of(Status.PASS, Status.SKIPPED, "linked"), "table")
    assert "the payer has it" in text
    assert "Confirm and Finish: allowed, everything passes." in text


def test_without_api_access_there_is_no_finishing():
    text = render(report_of(Status.FAIL, Status.PASS), "table")
    assert "Confirm and Finish: not yet" in text


def test_colours_are_there_only_when_asked_for():
    report = report_of(Status.PASS, Status.FAIL)
    assert "\x1b[" not in render(report, "table")
    assert "\x1b[" in render(report, "table", color=True)


def test_formats_are_found_by_their_place():
    assert formats() == ["json", "table"]
    with pytest.raises(KeyError):
        render(report_of(Status.PASS, Status.PASS), "sculpture")
