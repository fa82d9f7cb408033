"""container_cost.report: the delivered report has split cost allocation data.

Source: AWS Data Exports User Guide, "Split cost allocation data": after the payer's opt-in and the
report's schema element, the columns appear within 24 hours.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.model.desired import Desired
from orchestrator.model.observed import Delivery, Observed
from orchestrator.verify.cur import manifests, read_manifest, read_report
from orchestrator.verify.model import Check, Context, Finding, failed, passed, pending
from orchestrator.verify.remedy import Restore

_ELEMENT = "SPLIT_COST_ALLOCATION_DATA"
_CATEGORY = "splitLineItem"


def _read(context: Context) -> Observed:
    observed = read_report(context)
    if not _is_asked_for(observed):
        return observed
    cur = context.desired.cur
    found = manifests(context.aws, cur)
    newest = read_manifest(context.aws, cur, next(iter(found))) if found else {}
    return replace(observed, delivery=Delivery(found, newest))


def _is_asked_for(observed: Observed) -> bool:
    return _ELEMENT in (observed.report or {}).get("AdditionalSchemaElements", [])


def _judge(desired: Desired, observed: Observed) -> Finding:
    name = desired.cur.report_name
    if not _is_asked_for(observed):
        return failed(
            f"The report {name} does not ask for split cost allocation data.",
            Restore("it adds the element, or says what that would destroy"),
            element=_ELEMENT,
        )
    latest = next(iter(observed.delivery.manifests), None)
    columns = observed.delivery.newest.get("columns", [])
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
    read=_read,
    judge=_judge,
    only_if=lambda desired: desired.outputs.cur is not None,
)
