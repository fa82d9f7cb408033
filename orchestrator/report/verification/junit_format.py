"""JUnit XML, as CI systems read it: an area is a suite, a check is a test case.

Source of the format: https://github.com/testmoapp/junitxml. A pending check counts as skipped: it
has not failed yet, and the exit code tells it apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from orchestrator.report.conclusion import unapplied
from orchestrator.verify.model import Area, CheckResult, Report, Status

if TYPE_CHECKING:
    from orchestrator.model.octo_records import OctoAnswer

# Characters that XML 1.0 cannot hold, even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, *, color: bool = False) -> str:
    """Render a verification as one ``testsuites`` document."""
    del color
    top = ET.Element("testsuites", name=_text(f"octo-tf verify {report.account_id}"))
    for section in report.sections:
        results = [result for result in report.results if result.area == section.id]
        if not results:
            continue
        suite = _suite(
            top,
            f"{report.account_id}.{section.id}",
            tests=len(results),
            failures=sum(r.finding.status is Status.FAIL for r in results),
            skipped=sum(_is_skipped(r) for r in results),
            seconds=sum(r.seconds for r in results),
        )
        for result in results:
            _check(suite, report, result)
    asked = {area: a for area, a in report.octo.items() if a.state != "by_hand"}
    if report.unapplied:
        suite = _suite(top, f"{report.account_id}.settings", tests=1, failures=1)
        case = _case(suite, report, "settings.applied")
        ET.SubElement(case, "failure", message=_text(unapplied(report)))
    if asked:
        _octo(top, report, asked)
    ET.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(top, encoding="unicode")


def _suite(
    top: ET.Element,
    name: str,
    *,
    tests: int,
    failures: int = 0,
    skipped: int = 0,
    seconds: float = 0.0,
) -> ET.Element:
    return ET.SubElement(
        top,
        "testsuite",
        name=name,
        tests=str(tests),
        failures=str(failures),
        skipped=str(skipped),
        errors="0",
        time=f"{seconds:.3f}",
    )


def _octo(top: ET.Element, report: Report, asked: dict[Area, OctoAnswer]) -> None:
    """Add Octo's own answers as a suite; an area that Octo has not confirmed yet is skipped."""
    states = [answer.state for answer in asked.values()]
    refused, confirmed = states.count("refused"), states.count("confirmed")
    suite = _suite(
        top,
        f"{report.account_id}.octo",
        tests=len(asked),
        failures=refused,
        skipped=len(asked) - refused - confirmed,
    )
    for area, answer in asked.items():
        case = _case(suite, report, f"octo.{area.value}")
        if answer.state == "refused":
            failure = ET.SubElement(case, "failure", message=_text(answer.reason))
            failure.text = _text(f"{answer.reason}\n{answer.hint}")
        elif answer.state != "confirmed":
            message = _text(f"{answer.state}: {answer.reason}")
            ET.SubElement(case, "skipped", message=message)


def _case(suite: ET.Element, report: Report, name: str, seconds: float = 0.0) -> ET.Element:
    """Add a test case; its name is ``<suite>.<subject>``."""
    classname = f"octo-tf.{report.account_id}.{name.partition('.')[0]}"
    time = f"{seconds:.3f}"
    return ET.SubElement(suite, "testcase", name=name, classname=classname, time=time)


def _check(suite: ET.Element, report: Report, result: CheckResult) -> None:
    finding = result.finding
    case = _case(suite, report, result.id, result.seconds)
    detail = _text(f"{finding.summary}\n{finding.hint}".strip())
    if finding.status is Status.FAIL:
        ET.SubElement(case, "failure", message=_text(finding.summary)).text = detail
    elif _is_skipped(result):
        message = _text(f"{finding.status.value}: {finding.summary}")
        ET.SubElement(case, "skipped", message=message)
    else:
        ET.SubElement(case, "system-out").text = detail


def _is_skipped(result: CheckResult) -> bool:
    return result.finding.status in (Status.PENDING, Status.SKIPPED)


def _text(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
