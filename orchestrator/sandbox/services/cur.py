"""Cost and Usage Reports: definitions with the validations that AWS makes at Put.

Source: botocore's model of ``cur``; AWS Data Exports User Guide, "Legacy Cost and Usage Reports".
"""

from __future__ import annotations

import re
from typing import Any

from orchestrator.sandbox import delivery
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.wire import Call, Fault
from orchestrator.sandbox.world import Report, World, bucket_owner, s3

SERVICE = "cur"
_REGIONS = {"us-east-1", "cn-northwest-1"}
_MOST_REPORTS = 5
_NAME = re.compile(r"[0-9A-Za-z!\-_.*'()]{1,256}")
_PREFIX = re.compile(r"[0-9A-Za-z!\-_.*'()/]{1,256}")


def _reports(world: World, call: Call) -> dict[str, Report]:
    if call.region not in _REGIONS:
        # There is no such endpoint: DNS would fail. An answer is kinder than a hang.
        raise Fault("UnknownEndpoint", f"cur has no endpoint in {call.region}", 404)
    return world.reports.setdefault(call.caller.account_id, {})


def _report(world: World, call: Call) -> Report:
    reports = _reports(world, call)
    name = call.parameters["ReportName"]
    if name not in reports:
        raise Fault("ResourceNotFoundException", f"Report {name} is not found.")
    return reports[name]


def put(world: World, call: Call) -> dict[str, Any]:
    """PutReportDefinition."""
    reports = _reports(world, call)
    definition = dict(call.parameters["ReportDefinition"])
    name = definition["ReportName"]
    _validate(definition)
    if name in reports:
        raise Fault("DuplicateReportNameException", f"A report with name {name} already exists.")
    if len(reports) >= _MOST_REPORTS:
        raise Fault("ReportLimitReachedException", "You have reached the limit of reports.")
    _let_in(world, call.caller.account_id, definition)
    tags = {tag["Key"]: tag["Value"] for tag in call.parameters.get("Tags", [])}
    reports[name] = Report({**definition, "ReportStatus": {}}, tags)
    delivery.soon(world, call.caller.account_id, name)
    return {}


def modify(world: World, call: Call) -> dict[str, Any]:
    """ModifyReportDefinition: everything but what a report is made of."""
    report = _report(world, call)
    definition = dict(call.parameters["ReportDefinition"])
    _validate(definition)
    for fixed in ("ReportName", "TimeUnit", "ReportVersioning", "AdditionalSchemaElements"):
        before, after = report.definition.get(fixed), definition.get(fixed)
        if sorted(before or []) != sorted(after or []):  # texts, or lists in any order
            raise Fault("ValidationException", f"{fixed} cannot be modified.")
    _let_in(world, call.caller.account_id, definition)
    report.definition = {**definition, "ReportStatus": report.definition["ReportStatus"]}
    delivery.soon(world, call.caller.account_id, definition["ReportName"])
    return {}


def delete(world: World, call: Call) -> dict[str, Any]:
    """DeleteReportDefinition; deleting what is not there succeeds."""
    name = call.parameters.get("ReportName", "")
    gone = _reports(world, call).pop(name, None)
    return {"ResponseMessage": f"{'Deleted' if gone else 'Did not find'} {name}"}


def describe(world: World, call: Call) -> dict[str, Any]:
    """DescribeReportDefinitions: one page, since a page holds five and so does an account."""
    definitions = [report.definition for _, report in sorted(_reports(world, call).items())]
    return {"ReportDefinitions": definitions}


def tag(world: World, call: Call) -> dict[str, Any]:
    """TagResource."""
    tags = {tag["Key"]: tag["Value"] for tag in call.parameters["Tags"]}
    _report(world, call).tags.update(tags)
    return {}


def untag(world: World, call: Call) -> dict[str, Any]:
    """UntagResource."""
    report = _report(world, call)
    for key in call.parameters["TagKeys"]:
        report.tags.pop(key, None)
    return {}


def list_tags(world: World, call: Call) -> dict[str, Any]:
    """ListTagsForResource."""
    tags = _report(world, call).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


def _validate(definition: dict[str, Any]) -> None:
    artifacts = set(definition.get("AdditionalArtifacts") or [])
    parquet = definition["Format"] == "Parquet"
    mistakes = {
        "ReportName": not _NAME.fullmatch(definition["ReportName"]),
        "S3Prefix": not _PREFIX.fullmatch(definition["S3Prefix"]),
        "Format and Compression": parquet != (definition["Compression"] == "Parquet"),
        "AdditionalArtifacts": "ATHENA" in artifacts
        and (
            len(artifacts) > 1
            or not parquet
            or definition.get("ReportVersioning") != "OVERWRITE_REPORT"
        ),
        "AdditionalArtifacts and Format": parquet and bool(artifacts & {"REDSHIFT", "QUICKSIGHT"}),
    }
    wrong = [name for name, is_wrong in mistakes.items() if is_wrong]
    if wrong:
        raise Fault("ValidationException", f"Invalid {', '.join(wrong)}.")


def _let_in(world: World, account_id: str, definition: dict[str, Any]) -> None:
    bucket, region = definition["S3Bucket"], definition["S3Region"]
    owner = bucket_owner(bucket)
    if owner is None:
        raise Fault("ValidationException", f"Bucket {bucket} does not exist.")
    if s3(owner).get_bucket(bucket).region_name != region:
        raise Fault("ValidationException", f"Bucket {bucket} is not in {region}.")
    if not delivery.may_deliver(world, account_id, bucket):
        raise Fault("ValidationException", f"Failed to verify customer bucket permission: {bucket}")


OPERATIONS: dict[str, Operation] = {
    "PutReportDefinition": put,
    "ModifyReportDefinition": modify,
    "DeleteReportDefinition": delete,
    "DescribeReportDefinitions": describe,
    "TagResource": tag,
    "UntagResource": untag,
    "ListTagsForResource": list_tags,
}
