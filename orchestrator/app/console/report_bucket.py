"""Choose the bucket to which AWS delivers the report, or a report that exists already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.app.console.prompter import MOVES, Prompter
from orchestrator.errors import AccessDenied, AwsError
from orchestrator.model.existing_report import fitting
from orchestrator.model.module_contract.inputs import DEFAULT_REGION
from orchestrator.verify.model import Report, Status

Save = Callable[[Mapping[str, Any]], None]  # writes settings to octo.yaml; None removes one


def has_bucket(flow: ConsoleFlow, report: Report) -> bool:
    """Tell whether octo.yaml names the bucket of the report, or a stack of it exists."""
    registration = flow.registration
    named = registration.cur_s3_bucket_option or registration.cur_s3_bucket_name
    if registration.cur_report_option == "USE_EXISTING":
        return True
    statuses = {r.finding.status for r in report.results if r.id.endswith("stack")}
    is_elsewhere = registration.cur_s3_bucket_region != DEFAULT_REGION
    return bool(named or is_elsewhere or statuses - {Status.PENDING})


def choose_bucket(flow: ConsoleFlow, prompter: Prompter, save: Save) -> str:
    """Ask where the report is delivered, or which existing one is to be read, and save it.

    Returns:
        The letter of the choice: one of ``MOVES`` if no bucket was chosen.
    """
    reports = _fitting_reports(flow)
    chosen = prompter.choose(
        "Where shall AWS deliver the report?",
        {
            "d": f"default: a new bucket in {DEFAULT_REGION}",
            "n": "a new bucket in another region",
            "e": "a bucket that exists",
            **({"x": f"use a report that exists: {', '.join(reports)}"} if reports else {}),
            "s": "skip for now",
            "b": "back",
            "q": "quit",
        },
    )
    while chosen not in MOVES:
        if chosen == "x":
            settings = _existing_report(reports, prompter)
        elif chosen == "e":
            settings = _existing_bucket(flow, prompter)
        else:
            region = prompter.answer("The bucket's region", "") if chosen == "n" else DEFAULT_REGION
            settings = _new_bucket(flow, region)
        changed = {n: v for n, v in settings.items() if getattr(flow.registration, n) != v}
        try:
            flow.choose(**changed)
        except ValueError as error:
            prompter.tell(f"  This is not possible: {_first_line(error)}")
            continue
        save(changed)
        break
    return chosen


def _fitting_reports(flow: ConsoleFlow) -> list[str]:
    """Name the reports of the account that Octo can read and no stack of ours made."""
    asked = flow.registration.model_copy(
        update={"cur_report_name": None, "cur_report_option": "USE_EXISTING"}
    )
    return fitting(asked, flow.context.cloud.reports())


def _existing_report(reports: list[str], prompter: Prompter) -> dict[str, Any]:
    name = reports[0]
    while len(reports) > 1:
        name = prompter.answer("The report's name", reports[0])
        if name in reports:
            break
        prompter.tell(f"  {name} is none of {', '.join(reports)}.")
    return {
        "cur_report_option": "USE_EXISTING",
        "cur_report_name": name,
        "cur_s3_bucket_option": None,
        "cur_s3_bucket_name": None,
    }


def _new_report(flow: ConsoleFlow) -> dict[str, Any]:
    """Return the settings of a new report, where an existing one was chosen before."""
    if flow.registration.cur_report_option != "USE_EXISTING":
        return {}
    return {"cur_report_option": None, "cur_report_name": None}


def _new_bucket(flow: ConsoleFlow, region: str) -> dict[str, Any]:
    was_existing = flow.registration.cur_s3_bucket_option == "USE_EXISTING"
    return {
        **_new_report(flow),
        "cur_s3_bucket_option": "CREATE_NEW",
        "cur_s3_bucket_region": region,
        "cur_s3_bucket_name": None if was_existing else flow.registration.cur_s3_bucket_name,
    }


def _existing_bucket(flow: ConsoleFlow, prompter: Prompter) -> dict[str, Any]:
    """Ask for the name of an existing bucket, and read its region."""
    while True:
        name = prompter.answer("The bucket's name", "")
        try:
            region = flow.context.cloud.bucket_region(name)
        except AccessDenied:
            prompter.tell(
                f"  The bucket {name} belongs to another account, or its region may not be read"
                " (s3:GetBucketLocation)."
            )
            region = prompter.answer("The bucket's region", "")
        except AwsError as error:
            prompter.tell(f"  {error.what}")
            continue
        if region is not None:
            return {
                **_new_report(flow),
                "cur_s3_bucket_option": "USE_EXISTING",
                "cur_s3_bucket_region": region,
                "cur_s3_bucket_name": name,
            }
        prompter.tell(f"  There is no bucket {name} in this account.")


def _first_line(error: ValueError) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines[2:3]), lines[0]) if lines else ""
