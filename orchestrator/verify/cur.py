"""What the checks of CUR and S3 share: the definition, the bucket and what lies in it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of
from orchestrator.aws.session import Aws
from orchestrator.model.module_outputs import CurOutput
from orchestrator.verify.model import Context


def has_cur(context: Context) -> bool:
    """Whether the account has a report of its own."""
    return context.expected.cur is not None


def wanted(context: Context) -> CurOutput:
    """The report as the module made it; only for accounts that have one."""
    if context.expected.cur is None:
        raise LookupError("this account has no report")
    return context.expected.cur


def definition(context: Context) -> dict[str, Any] | None:
    """The report's definition (CUR DescribeReportDefinitions); None if there is none.

    CUR lives in one region per partition.
    """
    region = "cn-northwest-1" if context.expected.partition == "aws-cn" else "us-east-1"
    pages = context.aws.client("cur", region).get_paginator("describe_report_definitions")
    name = wanted(context).report_name
    for page in pages.paginate():
        for found in page["ReportDefinitions"]:
            if found["ReportName"] == name:
                return dict(found)
    return None


def bucket_policy(context: Context) -> str | None:
    """The bucket's policy (S3 GetBucketPolicy); None if there is none or no bucket."""
    cur = wanted(context)
    try:
        answer = context.aws.client("s3", cur.s3_bucket_region).get_bucket_policy(
            Bucket=cur.s3_bucket_name
        )
    except ClientError as error:
        if code_of(error) in ("NoSuchBucketPolicy", "NoSuchBucket"):
            return None
        raise
    return str(answer["Policy"])


def read_object(aws: Aws, cur: CurOutput, key: str) -> bytes | None:
    """An object of the bucket (S3 GetObject); None if it is not there.

    S3 says AccessDenied instead of NoSuchKey to a caller who may not list the bucket.
    """
    try:
        body = aws.client("s3", cur.s3_bucket_region).get_object(
            Bucket=cur.s3_bucket_name, Key=key
        )["Body"]
    except ClientError as error:
        if code_of(error) in ("NoSuchKey", "NoSuchBucket"):
            return None
        raise
    content: bytes = body.read()
    return content


def manifests(aws: Aws, cur: CurOutput) -> list[dict[str, Any]]:
    """The report's manifests, the newest first (S3 ListObjectsV2).

    Layout: ``<prefix>/<report>/<yyyymmdd-yyyymmdd>/<report>-Manifest.json``.
    """
    suffix = f"/{cur.report_name}-Manifest.json"
    prefix = f"{cur.s3_prefix}/{cur.report_name}/"
    pages = aws.client("s3", cur.s3_bucket_region).get_paginator("list_objects_v2")
    found = [
        entry
        for page in pages.paginate(Bucket=cur.s3_bucket_name, Prefix=prefix)
        for entry in page.get("Contents", [])
        # Of versions that are kept apart, the one at the period's own level is the newest.
        if entry["Key"].endswith(suffix) and entry["Key"].count("/") == prefix.count("/") + 1
    ]
    return sorted(found, key=lambda entry: entry["LastModified"], reverse=True)
