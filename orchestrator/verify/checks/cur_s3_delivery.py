"""cur_s3.delivery: how far the report has arrived.

Source: AWS Data Exports User Guide, "Legacy Cost and Usage Reports": the first delivery takes up
to 24 hours, later ones come at least daily.
"""

import json
from datetime import datetime, timezone
from typing import Any

from orchestrator.verify.cur import (
    bucket_policy,
    definition,
    has_cur,
    manifests,
    read_object,
    wanted,
)
from orchestrator.verify.model import Area, Check, Context, Finding, Status

_TEST_OBJECT = "aws-programmatic-access-test-object"
_STALE_HOURS = 36.0


def _run(context: Context) -> Finding:
    cur = wanted(context)
    found = definition(context)
    if found is None:
        return _finding(
            Status.FAIL,
            "missing",
            f"The report {cur.report_name} does not exist, so nothing can arrive.",
            "Run octo-tf apply: it makes the report.",
        )
    status = found.get("ReportStatus", {})
    last_status, last_delivery = status.get("lastStatus"), status.get("lastDelivery")
    if last_status not in (None, "", "SUCCESS"):
        return _finding(
            Status.FAIL,
            "error",
            f"AWS could not deliver: {last_status}.",
            "See what cur_s3.bucket and cur_s3.bucket_policy say; AWS tries again within a day.",
            last_status=last_status,
        )
    delivered = manifests(context.aws, cur)
    if not delivered:
        return _before_the_first(context)
    key = delivered[0]["Key"]
    lacking = _lacking(context, key)
    if lacking:
        return _finding(
            Status.FAIL,
            "error",
            f"{key} lists {len(lacking)} file(s) that are not there, like {lacking[0]}.",
            "AWS writes them again with the next delivery; see whether something removes them.",
            manifest=key,
            lacking=lacking,
        )
    hours = _age_hours(context, last_delivery, delivered[0]["LastModified"])
    if hours > _STALE_HOURS:
        return _finding(
            Status.FAIL,
            "stale",
            f"The last delivery is {hours:.0f} hours old.",
            "AWS delivers at least daily: see whether the bucket's policy or the report changed.",
            manifest=key,
            age_hours=round(hours, 1),
        )
    return _finding(
        Status.PASS, "current", f"Delivered {hours:.0f} h ago: {key}.", "", manifest=key
    )


def _before_the_first(context: Context) -> Finding:
    cur = wanted(context)
    wait = "The first delivery takes up to 24 hours: run octo-tf verify --wait 24h, or later."
    if read_object(context.aws, cur, _TEST_OBJECT) is not None:
        return _finding(
            Status.PENDING,
            "first_object",
            "AWS has reached the bucket and written its test object; no report yet.",
            wait,
        )
    if bucket_policy(context) is not None:
        return _finding(
            Status.PENDING, "policy_ok", "The bucket is ready; AWS has not written to it yet.", wait
        )
    return _finding(
        Status.PENDING,
        "configured",
        "The report is defined, but the bucket has no policy: AWS cannot write to it.",
        "See what cur_s3.bucket_policy says.",
    )


def _lacking(context: Context, manifest_key: str) -> list[str]:
    """Files that the manifest lists and the bucket does not have."""
    cur = wanted(context)
    content = read_object(context.aws, cur, manifest_key)
    manifest: dict[str, Any] = json.loads(content) if content else {}
    s3 = context.aws.client("s3", cur.s3_bucket_region)
    folder = manifest_key.rpartition("/")[0] + "/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=cur.s3_bucket_name, Prefix=folder)
    there = {entry["Key"] for page in pages for entry in page.get("Contents", [])}
    return [key for key in manifest.get("reportKeys", []) if key not in there]


def _age_hours(context: Context, last_delivery: str | None, last_modified: datetime) -> float:
    """Since what AWS calls the last delivery, or since the manifest where it says nothing."""
    when = last_modified
    if last_delivery:
        when = datetime.strptime(last_delivery, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    return max(0.0, (context.now() - when.timestamp()) / 3600)


def _finding(status: Status, arrival: str, summary: str, hint: str, **evidence: object) -> Finding:
    return Finding(status, summary, {"arrival": arrival, **evidence}, hint)


CHECK = Check(
    id="cur_s3.delivery",
    area=Area.CUR_S3,
    promise="The report arrives in the bucket, complete and current.",
    permissions=("cur:DescribeReportDefinitions", "s3:GetObject", "s3:ListBucket"),
    applies=has_cur,
    run=_run,
)
