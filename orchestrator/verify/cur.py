"""What the checks of the area *CUR and S3* share: what is in the bucket."""

from __future__ import annotations

from datetime import datetime

from orchestrator.aws import s3
from orchestrator.aws.errors import ServiceError, is_not_found
from orchestrator.aws.session import Aws
from orchestrator.model.module_contract.outputs import CurOutput
from orchestrator.model.partition import cur_region, partition_of_region
from orchestrator.model.report_delivery import ReportDelivery
from orchestrator.verify.model import Context, Finding, Report, failed
from orchestrator.verify.remedy import Restore

DELIVERY = "cur_s3.delivery"


def report_delivery(context: Context) -> ReportDelivery:
    """Return the delivery that is expected."""
    cur, expected = context.cur, context.expected
    return ReportDelivery(
        account_id=expected.account_id,
        partition=expected.partition,
        report=cur.report_name,
        prefix=cur.s3_prefix,
        bucket=cur.s3_bucket_name,
        region=cur.s3_bucket_region,
        cur_region=cur_region(partition_of_region(context.aws.region)),
    )


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


def bucket_policy(context: Context) -> str | None:
    """Read the bucket's policy, JSON text; None if there is no policy or no bucket."""
    cur = context.cur
    try:
        return s3.bucket_policy(context.aws, cur.s3_bucket_name, cur.s3_bucket_region)
    except ServiceError as error:
        if is_not_found(error):
            return None
        raise


def read_object(aws: Aws, cur: CurOutput, key: str) -> bytes | None:
    """Read an object of the report's bucket; None if it does not exist."""
    return s3.read_object(aws, cur.s3_bucket_name, cur.s3_bucket_region, key)


def manifests(aws: Aws, cur: CurOutput) -> dict[str, datetime]:
    """Return when each of the report's manifests was written, newest first.

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
