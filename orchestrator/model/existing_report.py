"""Choose a report that the account has already, and check whether Octo can read it.

An existing report must have the settings that a new one would get. Sources: AWS Billing
API Reference, ``ModifyReportDefinition`` (what cannot be changed); Octo's published module (what
it makes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from orchestrator.errors import Refused
from orchestrator.model.differences import report_differences
from orchestrator.model.module_contract.addresses import REPORT_FIELDS
from orchestrator.model.module_contract.inputs import Inputs, module_inputs
from orchestrator.model.registration import Registration

ReportDefinition = Mapping[str, Any]  # a report's definition (CUR API)

_PLACE = {
    "S3Bucket": "cur_s3_bucket_name",
    "S3Prefix": "cur_s3_prefix",
    "S3Region": "cur_s3_bucket_region",
}
_FIXED = ("TimeUnit", "AdditionalSchemaElements", "ReportVersioning")  # AWS changes none of them
_IN_WORDS = {
    "TimeUnit": "time unit",
    "AdditionalSchemaElements": "content",
    "ReportVersioning": "versioning",
    "RefreshClosedReports": "refresh of closed months",
    "S3Bucket": "bucket",
    "S3Prefix": "prefix",
    "S3Region": "region of the bucket",
}


def misfits(wanted: Mapping[str, Any], found: ReportDefinition) -> dict[str, tuple[Any, Any]]:
    """Compare an existing report with the wanted settings; additional content is accepted.

    Returns:
        What the report has and what is wanted, by the fields of the CUR API that do not fit.
    """
    different = report_differences(wanted, found)
    different.pop("AdditionalArtifacts", None)
    has, wants = different.get("AdditionalSchemaElements", ([], [""]))
    if {*wants} <= {*(has or [])}:
        del different["AdditionalSchemaElements"]
    prefix = str(found.get("S3Prefix") or "")
    if not prefix or prefix != prefix.strip("/"):
        different["S3Prefix"] = prefix, "one with no slash at either end"
    return different


def fitting(registration: Registration, reports: Iterable[ReportDefinition]) -> list[str]:
    """Name the reports that Octo can read as the registration has it, sorted."""
    wanted = _wanted(registration)
    return sorted(str(r["ReportName"]) for r in reports if not misfits(wanted, r))


def choose(registration: Registration, reports: Iterable[ReportDefinition]) -> ReportDefinition:
    """Return the report of the account that Octo is to read.

    Args:
        registration: it names the report; without a name, only one report may fit.

    Raises:
        Refused: there is no such report, it does not fit, or several fit.
    """
    known = {str(report["ReportName"]): report for report in reports}
    named = registration.cur_report_name
    if named is not None and named not in known:
        has = f"it has {', '.join(sorted(known))}" if known else "it has none"
        raise Refused(
            f"the account has no report {named}: {has}",
            where="cur_report_name",
            hint="Name one that exists, or have one created: cur_report_option: CREATE_NEW.",
        )
    considered = [known[named]] if named is not None else [*known.values()]
    usable = fitting(registration, considered)
    if len(usable) == 1:
        return known[usable[0]]
    if usable:
        raise Refused(
            f"{len(usable)} reports of the account can be used: {', '.join(usable)}",
            where="cur_report_option",
            hint=f"Set cur_report_name to one of them, like {usable[0]}.",
        )
    wanted = _wanted(registration)
    judged = {str(r["ReportName"]): misfits(wanted, r) for r in considered}
    raise Refused(
        "the account has no report"
        if not judged
        else "; ".join(f"the report {n} does not fit: {_said(d)}" for n, d in judged.items()),
        where="cur_report_name" if named else "cur_report_option",
        hint=_fix(judged),
    )


def using(inputs: Inputs, report: ReportDefinition) -> Inputs:
    """Return the inputs with the name and the place of an existing report."""
    return replace(
        inputs,
        cur_report_name=report["ReportName"],
        cur_s3_bucket_name=report["S3Bucket"],
        cur_s3_bucket_option="USE_EXISTING",
        cur_s3_bucket_region=report["S3Region"],
        cur_s3_prefix=report["S3Prefix"],
    )


def _wanted(registration: Registration) -> dict[str, Any]:
    """Return the settings that the report must have; its place only if octo.yaml sets it."""
    inputs = module_inputs(registration)
    wanted = {
        field: getattr(inputs, f"cur_{name}")
        for field, name in REPORT_FIELDS.items()
        if field not in _PLACE
    }
    wanted["AdditionalSchemaElements"] = inputs.schema_elements
    if not inputs.cur_refresh_closed_reports:
        del wanted["RefreshClosedReports"]
    given = registration.model_fields_set
    place = {f: getattr(registration, name) for f, name in _PLACE.items() if name in given}
    return wanted | {field: value for field, value in place.items() if value is not None}


def _said(different: Mapping[str, tuple[Any, Any]]) -> str:
    return ", ".join(
        f"its {_IN_WORDS.get(field, field.lower())} is {_plain(has)}, not {_plain(wants)}"
        for field, (has, wants) in different.items()
    )


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return " and ".join(sorted(value)) or "nothing"
    return str(value) if value else "empty"


def _fix(judged: Mapping[str, Mapping[str, tuple[Any, Any]]]) -> str:
    fixes = []
    if any(different and not different.keys() & {*_FIXED} for different in judged.values()):
        fixes.append("Change the report in AWS (Billing and Cost Management, Data Exports)")
    another = "name another report (cur_report_name), or " if judged else ""
    fixes.append(f"{another}have one created: cur_report_option: CREATE_NEW.")
    said = ", ".join(fixes)
    settings = sorted(
        f"cur_{REPORT_FIELDS[field]}"
        for different in judged.values()
        for field in different
        if field not in (*_PLACE, "AdditionalSchemaElements")
    )
    accept = (
        f" If Octo's support says that Octo reads such a report, describe it with"
        f" {', '.join(dict.fromkeys(settings))}."
        if settings
        else ""
    )
    return said[:1].upper() + said[1:] + accept
