"""cur_s3.delivery: AWS delivers the report, completely and at least daily.

Source: AWS Data Exports User Guide, "Legacy Cost and Usage Reports": the first delivery takes up
to 24 hours, later ones come at least daily.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from orchestrator.aws import s3
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Delivery, Observed
from orchestrator.model.report_delivery import TEST_OBJECT
from orchestrator.model.words import counted
from orchestrator.verify.cur import (
    DELIVERY,
    manifests,
    missing_report,
    read_bucket_policy,
    read_manifest,
    read_object,
    read_report,
)
from orchestrator.verify.model import Check, Context, Finding, failed, passed, pending
from orchestrator.verify.remedy import Restore

_STALE_HOURS = 36.0


def _read(context: Context) -> Observed:
    observed = replace(read_report(context), at=context.now())
    if not observed.report or _failure(observed.report):
        return observed
    aws, cur = context.aws, context.desired.cur
    found = manifests(aws, cur)
    if not found:
        tested = read_object(aws, cur, TEST_OBJECT) is not None
        policy = None if tested else read_bucket_policy(context)
        return replace(observed, delivery=Delivery({}, is_tested=tested), bucket=policy)
    key = next(iter(found))
    newest = read_manifest(aws, cur, key)
    folder = key.rpartition("/")[0] + "/"
    existing = s3.list_objects(aws, cur.s3_bucket_name, cur.s3_bucket_region, folder)
    lacking = [file for file in newest.get("reportKeys", []) if file not in existing]
    return replace(observed, delivery=Delivery(found, newest, lacking))


def _failure(report: Mapping[str, Any]) -> str:
    """Return the status of a delivery that failed; empty otherwise."""
    status = report.get("ReportStatus", {}).get("lastStatus") or ""
    return "" if status == "SUCCESS" else str(status)


def _judge(desired: Desired, observed: Observed) -> Finding:
    cur = desired.cur
    found = observed.report
    if found is None:
        return failed(
            f"The report {cur.report_name} does not exist, so AWS delivers nothing.",
            Restore("it creates the report")
            if cur.report_option == "CREATE_NEW"
            else missing_report(),
            arrival="missing",
        )
    if last_status := _failure(found):
        return failed(
            f"AWS could not deliver the report: {last_status}.",
            "Fix what cur_s3.bucket, cur_s3.bucket_policy and cur_s3.encryption report; AWS tries"
            " again within a day.",
            arrival="error",
            last_status=last_status,
        )
    if not observed.delivery.manifests:
        return _before_the_first(observed)
    key, written = next(iter(observed.delivery.manifests.items()))
    if lacking := [*observed.delivery.lacking]:
        files = counted(len(lacking), "file that does", "files that do")
        return failed(
            f"{key} lists {files} not exist, like {lacking[0]}.",
            "AWS writes them again with the next delivery; find out what deletes them.",
            arrival="error",
            manifest=key,
            lacking=lacking,
        )
    delivered_at = _delivered_at(found.get("ReportStatus", {}).get("lastDelivery"), written)
    hours = max(0.0, (observed.at - delivered_at.timestamp()) / 3600)
    if hours > _STALE_HOURS:
        return failed(
            f"The last delivery is {hours:.0f} hours old.",
            "AWS delivers at least daily: check whether the bucket's policy or the report changed.",
            arrival="stale",
            manifest=key,
            age_hours=round(hours, 1),
            delivered_at=delivered_at.isoformat(timespec="seconds"),
        )
    return passed(
        f"Delivered {hours:.0f} h ago: {key}.",
        arrival="current",
        manifest=key,
        delivered_at=delivered_at.isoformat(timespec="seconds"),
    )


def _before_the_first(observed: Observed) -> Finding:
    wait = (
        "The first delivery takes up to 24 hours: run octo-tf verify --wait 24h, or verify later."
    )
    if observed.delivery.is_tested:
        return pending(
            "AWS has written its test object to the bucket, and no report yet.",
            wait,
            arrival="first_object",
        )
    if observed.bucket and observed.bucket.policy is not None:
        return pending(
            "The bucket is ready; AWS has not written to it yet.", wait, arrival="policy_ok"
        )
    return pending(
        "The report is defined, but the bucket has no policy: AWS cannot write to it.",
        "Fix what cur_s3.bucket_policy reports.",
        arrival="configured",
    )


def _delivered_at(last_delivery: str | None, last_modified: datetime) -> datetime:
    """Return when AWS delivered last, or when the manifest was written if AWS reports nothing."""
    if last_delivery:
        return datetime.strptime(last_delivery, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    return last_modified.astimezone(timezone.utc)


CHECK = Check(
    id=DELIVERY,
    promise="The report arrives in the bucket, complete and current.",
    permissions=("cur:DescribeReportDefinitions", "s3:GetObject", "s3:ListBucket"),
    read=_read,
    judge=_judge,
)
