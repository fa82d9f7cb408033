"""What the checks of the area *CUR and S3* share: what they read, and remedies."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from orchestrator.aws import cur as reports
from orchestrator.aws import s3
from orchestrator.aws.session import Aws
from orchestrator.model.module_contract.outputs import CurOutput
from orchestrator.model.observed import Bucket, Observed
from orchestrator.verify.model import Context, Finding, Report, failed
from orchestrator.verify.remedy import Restore

DELIVERY = "cur_s3.delivery"


def read_report(context: Context) -> Observed:
    """Read the report's definition (CUR DescribeReportDefinitions)."""
    return Observed(report=reports.get_report(context.aws, context.desired.cur.report_name))


def read_bucket_policy(context: Context) -> Bucket:
    """Read the bucket's policy (S3 GetBucketPolicy), which a bucket that is missing has not."""
    cur = context.desired.cur
    policy = s3.bucket_policy(context.aws, cur.s3_bucket_name, cur.s3_bucket_region)
    return Bucket(cur.s3_bucket_name, policy=policy)


def missing_bucket(cur: CurOutput) -> Finding:
    """Return the finding for a bucket that does not exist."""
    return failed(
        f"The bucket {cur.s3_bucket_name} does not exist.",
        Restore("it creates the bucket (or name another with cur_s3_bucket_name)")
        if cur.s3_bucket_option == "CREATE_NEW"
        else "Create the bucket again, or name another one, then run octo-tf apply.",
        bucket=cur.s3_bucket_name,
    )


def missing_report() -> str:
    """Say what to do about an existing report that is gone."""
    return (
        "Create it again in AWS (Billing and Cost Management, Data Exports), or name another one"
        " with cur_report_name, then run octo-tf apply."
    )


def read_object(aws: Aws, cur: CurOutput, key: str) -> bytes | None:
    """Read an object of the report's bucket (S3 GetObject); None if it does not exist."""
    return s3.read_object(aws, cur.s3_bucket_name, cur.s3_bucket_region, key)


def read_manifest(aws: Aws, cur: CurOutput, key: str) -> dict[str, Any]:
    """Read a manifest of the report; empty if it does not exist."""
    content = read_object(aws, cur, key)
    return dict(json.loads(content)) if content else {}


def manifests(aws: Aws, cur: CurOutput) -> dict[str, datetime]:
    """Return when each of the report's manifests was written, newest first (S3 ListObjectsV2).

    Layout: ``<prefix>/<report>/<yyyymmdd-yyyymmdd>/<report>-Manifest.json``. With report versions
    in folders of their own, the manifest at the period's own level is the newest.
    """
    suffix = f"/{cur.report_name}-Manifest.json"
    prefix = f"{cur.s3_prefix}/{cur.report_name}/"
    listed = s3.list_objects(aws, cur.s3_bucket_name, cur.s3_bucket_region, prefix)
    return {
        key: written
        for key, written in sorted(listed.items(), key=lambda item: item[1], reverse=True)
        if key.endswith(suffix) and key.count("/") == prefix.count("/") + 1
    }


def last_delivery(report: Report) -> str | None:
    """Return when AWS delivered last (ISO 8601, UTC), as its check found it; None if it did not."""
    evidence = next((r.finding.evidence for r in report.results if r.id == DELIVERY), {})
    delivered_at = evidence.get("delivered_at")
    return delivered_at if isinstance(delivered_at, str) else None
