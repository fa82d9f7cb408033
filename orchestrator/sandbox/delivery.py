"""Deliver Cost and Usage Reports into buckets, as AWS's billing service does.

Only what the bucket's policy allows is written. Layout and manifest: AWS Data Exports User
Guide, "Cost and Usage Report delivery" and "Report versioning".
"""

from __future__ import annotations

import calendar
import csv
import gzip
import io
import json
import threading
import uuid
import zipfile
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox.encryption import default_key, may_use_key, note_key
from orchestrator.sandbox.policy import AccessRequest, as_list, decide, parse_policy
from orchestrator.sandbox.state import PARTITION, SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import ServiceError

TEST_OBJECT = "aws-programmatic-access-test-object"
_FIRST_SECONDS, _REPORT_SECONDS = 0.2, 1.0
_COLUMNS = [
    ("identity", "LineItemId", "String"),
    ("bill", "PayerAccountId", "String"),
    ("lineItem", "UsageStartDate", "DateTime"),
    ("lineItem", "ProductCode", "String"),
    ("lineItem", "UnblendedCost", "BigDecimal"),
]
# What an opt-in adds; the sandbox has no such preference, and no containers.
_SPLIT_COLUMNS = [
    ("splitLineItem", "ParentResourceId", "OptionalString"),
    ("splitLineItem", "SplitCost", "OptionalBigDecimal"),
    ("splitLineItem", "UnusedCost", "OptionalBigDecimal"),
]


SERVICE = {"Service": ["billingreports.amazonaws.com"]}


def may_deliver(state: SandboxState, account_id: str, bucket: str) -> bool:
    """Whether the bucket's policy allows the billing service to check and to write."""
    text = state.bucket_policies.get(bucket)
    if not text:
        return False
    document = parse_policy(text)
    arn = f"arn:{PARTITION}:s3:::{bucket}"
    needed = [("s3:GetBucketPolicy", arn), ("s3:PutObject", f"{arn}/{TEST_OBJECT}")]
    # The Data Exports guide's policy, "applied to every S3 bucket when creating a Cost and Usage
    # Report", does without GetBucketAcl; in any other wording it is needed.
    if not any(map(_is_of_data_exports_guide, as_list(document["Statement"]))):
        needed.append(("s3:GetBucketAcl", arn))
    # The console compares aws:SourceArn by StringEquals with a text that ends with "*", and it
    # works: hashicorp/terraform-provider-aws #36086 (2024-07-08).
    return any(
        all(
            decide(
                [document],
                AccessRequest(action, resource, _context(account_id, report), SERVICE),
                resource_policy=True,
            )
            == "allowed"
            for action, resource in needed
        )
        for report in ("any", "*")
    )


def _context(account_id: str, report: str) -> dict[str, str]:
    """Return the context of the billing service's requests."""
    return {
        "aws:SourceAccount": account_id,
        "aws:SourceArn": f"arn:{PARTITION}:cur:us-east-1:{account_id}:definition/{report}",
        "aws:SecureTransport": "true",
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": SERVICE["Service"][0],
    }


def _is_of_data_exports_guide(statement: dict[str, Any]) -> bool:
    return statement.get("Effect") == "Allow" and sorted(
        action.lower() for action in as_list(statement.get("Action", []))
    ) == ["s3:getbucketpolicy", "s3:putobject"]


def can_deliver(state: SandboxState, account_id: str, bucket: str) -> bool:
    """Whether the billing service may write to the bucket, as the bucket is encrypted."""
    request = AccessRequest("kms:GenerateDataKey", "*", _context(account_id, "any"), SERVICE)
    try:
        key = default_key(bucket)
    except ServiceError:  # there is no such key
        return False
    return may_deliver(state, account_id, bucket) and may_use_key(key, request, None) == "allowed"


def schedule_delivery(state: SandboxState, account_id: str, name: str) -> None:
    """Deliver the test object and then the report in a moment, unless delivery is manual."""
    if state.delivery != "auto":
        return
    for seconds, step in ((_FIRST_SECONDS, write_test_object), (_REPORT_SECONDS, deliver)):
        timer = threading.Timer(seconds, step, (state, account_id, name))
        timer.daemon = True
        timer.start()


def write_test_object(state: SandboxState, account_id: str, name: str) -> bool:
    """Write the object by which AWS proves its access before the first delivery."""
    with state.lock:
        report = state.reports.get(account_id, {}).get(name)
        if report is None or not can_deliver(state, account_id, report.definition["S3Bucket"]):
            return False
        _put(report.definition["S3Bucket"], TEST_OBJECT, b"")
        return True


def deliver(state: SandboxState, account_id: str, name: str) -> dict[str, Any]:
    """Deliver one report; the result has its status and the keys that were written."""
    with state.lock:
        report = state.reports.get(account_id, {}).get(name)
        if report is None:
            return {"account_id": account_id, "report": name, "status": "ERROR_NO_REPORT"}
        definition = report.definition
        bucket = definition["S3Bucket"]
        now = datetime.now(timezone.utc)
        keys: list[str] = []
        if bucket_owner(bucket) is None:
            status = "ERROR_NO_BUCKET"
        elif not write_test_object(state, account_id, name):
            status = "ERROR_PERMISSIONS"
        elif definition["Format"] == "Parquet":
            # Writing Parquet needs a library of 40 MB that nothing else here would use.
            status, keys = "ERROR_UNSUPPORTED_BY_SANDBOX", []
        else:
            status, keys = "SUCCESS", _write(account_id, definition, now)
        if status != "ERROR_UNSUPPORTED_BY_SANDBOX":
            definition["ReportStatus"] = {"lastStatus": status}
            if status == "SUCCESS":
                definition["ReportStatus"]["lastDelivery"] = now.strftime("%Y%m%dT%H%M%SZ")
        return {"account_id": account_id, "report": name, "status": status, "keys": keys}


def deliver_all(state: SandboxState) -> list[dict[str, Any]]:
    """Deliver every report of every account."""
    with state.lock:
        names = [(account, name) for account, of in state.reports.items() for name in of]
    return [deliver(state, account, name) for account, name in names]


def _write(account_id: str, definition: dict[str, Any], now: datetime) -> list[str]:
    name = definition["ReportName"]
    month_end = calendar.monthrange(now.year, now.month)[1]
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (
        start.replace(year=now.year + 1, month=1)
        if now.month == 12
        else start.replace(month=now.month + 1)
    )
    period = f"{start:%Y%m%d}-{following:%Y%m%d}"
    assembly = str(uuid.uuid4())
    folder = f"{definition['S3Prefix']}/{name}/{period}"
    zipped = definition["Compression"] == "ZIP"
    # A report that is not overwritten has a folder for each assembly.
    overwrites = definition.get("ReportVersioning") == "OVERWRITE_REPORT"
    data_folder = folder if overwrites else f"{folder}/{assembly}"
    data_key = f"{data_folder}/{name}-00001.csv.{'zip' if zipped else 'gz'}"
    split = "SPLIT_COST_ALLOCATION_DATA" in definition.get("AdditionalSchemaElements", [])
    columns = [*_COLUMNS, *(_SPLIT_COLUMNS if split else ())]
    rows = _rows(account_id, columns, start, month_end)
    _put(definition["S3Bucket"], data_key, _file(name, rows, zipped=zipped))
    manifest = {
        "assemblyId": assembly,
        "account": account_id,
        "columns": [{"category": c, "name": n, "type": t} for c, n, t in columns],
        "charset": "UTF-8",
        "compression": definition["Compression"],
        "contentType": "text/csv",
        "reportId": assembly.replace("-", ""),
        "reportName": name,
        "billingPeriod": {
            "start": f"{start:%Y%m%dT%H%M%S}.000Z",
            "end": f"{following:%Y%m%dT%H%M%S}.000Z",
        },
        "bucket": definition["S3Bucket"],
        "reportKeys": [data_key],
        "additionalArtifactKeys": [],
    }
    manifest_key = f"{folder}/{name}-Manifest.json"
    _put(definition["S3Bucket"], manifest_key, json.dumps(manifest, indent=2).encode())
    return [data_key, manifest_key]


def _rows(
    account_id: str, columns: list[tuple[str, str, str]], start: datetime, days: int
) -> list[list[str]]:
    rows = [[f"{category}/{column}" for category, column, _ in columns]]
    for day in range(1, days + 1):
        usage = f"{start.replace(day=day):%Y-%m-%dT%H:%M:%SZ}"
        row = [uuid.uuid4().hex, account_id, usage, "AmazonEC2", f"{day * 0.1:.2f}"]
        rows.append([*row, *("" for _ in columns[len(row) :])])
    return rows


def _file(name: str, rows: list[list[str]], *, zipped: bool) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    content = text.getvalue().encode()
    if not zipped:
        return gzip.compress(content)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{name}-00001.csv", content)
    return archive.getvalue()


def _put(bucket: str, key: str, content: bytes) -> None:
    owner = bucket_owner(bucket)
    if owner is not None:
        held = s3(owner).put_object(bucket, key, content, disable_notification=True)
        note_key(held, default_key(bucket))
