"""cur_s3.delivery: AWS delivers the report, completely and at least daily.

Source: AWS Data Exports User Guide, "Legacy Cost and Usage Reports": the first delivery takes up
to 24 hours, later ones come at least daily.
"""

import json
from datetime import datetime, timezone
from typing import Any

from orchestrator.aws import s3
from orchestrator.aws.cur import get_report
from orchestrator.model.report_delivery import TEST_OBJECT
from orchestrator.verify.cur import (
    DELIVERY,
    bucket_policy,
    manifests,
    missing_report,
    read_object,
)
from orchestrator.verify.model import Check, Context, Finding, failed, passed, pending
from orchestrator.verify.remedy import Restore

_STALE_HOURS = 36.0


def _run(context: Context) -> Finding:
    cur = context.cur
    found = get_report(context.aws, cur.report_name)
    if found is None:
        return failed(
            f"The report {cur.report_name} does not exist, so AWS delivers nothing.",
            Restore("it creates the report")
            if cur.report_option == "CREATE_NEW"
            else missing_report(),
            arrival="missing",
        )
    status = found.get("ReportStatus", {})
    last_status, last_delivery = status.get("lastStatus"), status.get("lastDelivery")
    if last_status not in (None, "", "SUCCESS"):
        return failed(
            f"AWS could not deliver the report: {last_status}.",
            "Fix what cur_s3.bucket, cur_s3.bucket_policy and cur_s3.encryption report; AWS tries"
            " again within a day.",
            arrival="error",
            last_status=last_status,
        )
    delivered = manifests(context.aws, cur)
    if not delivered:
        return _before_the_first(context)
    key, written = next(iter(delivered.items()))
    lacking = _missing_files(context, key)
    if lacking:
        files = "1 file that does" if len(lacking) == 1 else f"{len(lacking)} files that do"
        return failed(
            f"{key} lists {files} not exist, like {lacking[0]}.",
            "AWS writes them again with the next delivery; find out what deletes them.",
            arrival="error",
            manifest=key,
            lacking=lacking,
        )
    delivered_at = _delivered_at(last_delivery, written)
    hours = max(0.0, (context.now() - delivered_at.timestamp()) / 3600)
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


def _before_the_first(context: Context) -> Finding:
    cur = context.cur
    wait = (
        "The first delivery takes up to 24 hours: run octo-tf verify --wait 24h, or verify later."
    )
    if read_object(context.aws, cur, TEST_OBJECT) is not None:
        return pending(
            "AWS has written its test object to the bucket, and no report yet.",
            wait,
            arrival="first_object",
        )
    if bucket_policy(context) is not None:
        return pending(
            "The bucket is ready; AWS has not written to it yet.", wait, arrival="policy_ok"
        )
    return pending(
        "The report is defined, but the bucket has no policy: AWS cannot write to it.",
        "Fix what cur_s3.bucket_policy reports.",
        arrival="configured",
    )


def _missing_files(context: Context, manifest_key: str) -> list[str]:
    """List the files that the manifest names and the bucket lacks."""
    cur = context.cur
    content = read_object(context.aws, cur, manifest_key)
    manifest: dict[str, Any] = json.loads(content) if content else {}
    folder = manifest_key.rpartition("/")[0] + "/"
    existing = s3.list_objects(context.aws, cur.s3_bucket_name, cur.s3_bucket_region, folder)
    return [key for key in manifest.get("reportKeys", []) if key not in existing]


def _delivered_at(last_delivery: str | None, last_modified: datetime) -> datetime:
    """Return when AWS delivered last, or when the manifest was written if AWS reports nothing."""
    if last_delivery:
        return datetime.strptime(last_delivery, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    return last_modified.astimezone(timezone.utc)


CHECK = Check(
    id=DELIVERY,
    promise="The report arrives in the bucket, complete and current.",
    permissions=("cur:DescribeReportDefinitions", "s3:GetObject", "s3:ListBucket"),
    run=_run,
)
