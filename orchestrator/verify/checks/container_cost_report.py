"""container_cost.report: the delivered report has split cost allocation data.

Source: AWS Data Exports User Guide, "Split cost allocation data": after the payer's opt-in and the
report's schema element, the columns appear within 24 hours.
"""

from __future__ import annotations

import json

from orchestrator.aws.cur import get_report
from orchestrator.verify.cur import manifests, read_object
from orchestrator.verify.model import Check, Context, Finding, failed, passed, pending
from orchestrator.verify.remedy import Restore

_ELEMENT = "SPLIT_COST_ALLOCATION_DATA"
_CATEGORY = "splitLineItem"


def _run(context: Context) -> Finding:
    name = context.cur.report_name
    found = get_report(context.aws, name)
    if found is None or _ELEMENT not in found.get("AdditionalSchemaElements", []):
        return failed(
            f"The report {name} does not ask for split cost allocation data.",
            Restore("it adds the element, or says what that would destroy"),
            element=_ELEMENT,
        )
    latest = next(iter(manifests(context.aws, context.cur)), None)
    content = read_object(context.aws, context.cur, latest) if latest else None
    columns = json.loads(content).get("columns", []) if content else []
    split = sum(column.get("category") == _CATEGORY for column in columns)
    if split:
        return passed(f"{name} has {split} columns of split costs.", columns=split, manifest=latest)
    return pending(
        f"{name} asks for split cost allocation data, and none was delivered yet.",
        "Opt in to it in the Cost Management preferences of the payer, unless that was done:"
        " https://console.aws.amazon.com/costmanagement/home#/settings. Data takes up to 24 hours.",
        columns=0,
    )


CHECK = Check(
    id="container_cost.report",
    promise="The delivered report has the costs of containers.",
    permissions=("cur:DescribeReportDefinitions", "s3:GetObject", "s3:ListBucket"),
    run=_run,
    only_if=lambda context: context.expected.cur is not None,
)
