"""Cost and Usage Reports: definitions, validated as AWS does.

Sources: botocore's model of ``cur``; AWS Data Exports User Guide, "Legacy Cost and Usage Reports";
the pattern of prefixes is AWS's since 2025-11, of which the model says nothing
(https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/963).
"""

from __future__ import annotations

import re
from typing import Any

from orchestrator.sandbox import delivery
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import Report, SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "cur"
_REGIONS = {"us-east-1", "cn-northwest-1"}
_MOST_REPORTS = 5
_NAME = re.compile(r"[0-9A-Za-z!\-_.*'()]{1,256}")
_PREFIX = "^.+[^/|.]$"


def _reports(state: SandboxState, call: Call) -> dict[str, Report]:
    if call.region not in _REGIONS:
        # AWS has no such endpoint, so DNS would fail; an error is quicker than a timeout.
        raise ServiceError("UnknownEndpoint", f"cur has no endpoint in {call.region}", 404)
    return state.reports.setdefault(call.caller.account_id, {})


def _report(state: SandboxState, call: Call, code: str = "ResourceNotFoundException") -> Report:
    reports = _reports(state, call)
    name = call.parameters["ReportName"]
    if name not in reports:
        raise ServiceError(code, f"The report {name} does not exist.")
    return reports[name]


def put(state: SandboxState, call: Call) -> dict[str, Any]:
    """PutReportDefinition."""
    reports = _reports(state, call)
    definition = dict(call.parameters["ReportDefinition"])
    name = definition["ReportName"]
    _validate(definition)
    if name in reports:
        raise ServiceError(
            "DuplicateReportNameException",
            "A report with the specified name already exists in the account. Specify a different"
            " report name.",
        )
    if len(reports) >= _MOST_REPORTS:
        raise ServiceError(
            "ReportLimitReachedException",
            "This account already has five reports defined. To define a new report, you must delete"
            " an existing report.",
        )
    _check_bucket(state, call.caller.account_id, definition)
    tags = _tags(call)
    reports[name] = Report({**definition, "ReportStatus": {}}, tags)
    delivery.schedule_delivery(state, call.caller.account_id, name)
    return {}


def modify(state: SandboxState, call: Call) -> dict[str, Any]:
    """ModifyReportDefinition: name, time unit, versioning and schema elements are fixed."""
    report = _report(state, call, "ValidationException")
    definition = dict(call.parameters["ReportDefinition"])
    _validate(definition)
    for fixed in ("ReportName", "TimeUnit", "ReportVersioning", "AdditionalSchemaElements"):
        before, after = report.definition.get(fixed), definition.get(fixed)
        if sorted(before or []) != sorted(after or []):  # strings, or lists in any order
            raise ServiceError("ValidationException", f"{fixed} cannot be modified.")
    _check_bucket(state, call.caller.account_id, definition)
    report.definition = {**definition, "ReportStatus": report.definition["ReportStatus"]}
    delivery.schedule_delivery(state, call.caller.account_id, definition["ReportName"])
    return {}


def delete(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteReportDefinition: deleting a report that does not exist succeeds."""
    name = call.parameters.get("ReportName", "")
    gone = _reports(state, call).pop(name, None)
    return {"ResponseMessage": f"{'Deleted' if gone else 'Did not find'} {name}"}


def describe(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeReportDefinitions: one page, since an account has at most five reports."""
    definitions = [report.definition for _, report in sorted(_reports(state, call).items())]
    return {"ReportDefinitions": definitions}


def tag(state: SandboxState, call: Call) -> dict[str, Any]:
    """TagResource."""
    _report(state, call).tags.update(_tags(call))
    return {}


def _tags(call: Call) -> dict[str, str]:
    given = call.parameters.get("Tags", [])
    tags = {tag["Key"]: tag["Value"] for tag in given}
    if len(tags) < len(given):
        raise ServiceError("ValidationException", "Tag keys must be unique.")
    if any(key.lower().startswith("aws:") for key in tags):
        raise ServiceError("ValidationException", "Tag keys must not begin with aws:.")
    return tags


def untag(state: SandboxState, call: Call) -> dict[str, Any]:
    """UntagResource."""
    report = _report(state, call)
    for key in call.parameters["TagKeys"]:
        report.tags.pop(key, None)
    return {}


def list_tags(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListTagsForResource."""
    tags = _report(state, call).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


def _validate(definition: dict[str, Any]) -> None:
    prefix = definition["S3Prefix"]
    if not prefix or prefix[-1] in "/|.":  # whether one character alone is refused is not known
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value '{prefix}' at 'reportDefinition.s3Prefix' failed"
            f" to satisfy constraint: Member must satisfy regular expression pattern: {_PREFIX}",
        )
    artifacts = set(definition.get("AdditionalArtifacts") or [])
    parquet = definition["Format"] == "Parquet"
    mistakes = {
        "ReportName": not _NAME.fullmatch(definition["ReportName"]),
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
        raise ServiceError("ValidationException", f"Invalid {', '.join(wrong)}.")


def _check_bucket(state: SandboxState, account_id: str, definition: dict[str, Any]) -> None:
    bucket, region = definition["S3Bucket"], definition["S3Region"]
    owner = bucket_owner(bucket)
    if owner is None:
        raise ServiceError("ValidationException", f"Bucket {bucket} does not exist.")
    if s3(owner).get_bucket(bucket).region_name != region:
        raise ServiceError("ValidationException", f"Bucket {bucket} is not in {region}.")
    if not delivery.may_deliver(state, account_id, bucket):
        raise ServiceError(
            "ValidationException", f"Failed to verify customer bucket permission: {bucket}"
        )


OPERATIONS: dict[str, Operation] = {
    "PutReportDefinition": put,
    "ModifyReportDefinition": modify,
    "DeleteReportDefinition": delete,
    "DescribeReportDefinitions": describe,
    "TagResource": tag,
    "UntagResource": untag,
    "ListTagsForResource": list_tags,
}
