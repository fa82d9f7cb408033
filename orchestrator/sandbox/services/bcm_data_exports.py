"""BCM Data Exports: the definitions of exports; the sandbox delivers none.

Sources: AWS Data Exports API Reference (Billing and Cost Management), CreateExport, GetExport,
ListTables; Data Exports User Guide, "Setting up an Amazon S3 bucket for data exports".
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox.policy import AccessRequest, decide, parse_policy
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import PARTITION, SandboxState, bucket_owner
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "bcm-data-exports"
_PRINCIPAL = "bcm-data-exports.amazonaws.com"
_TABLES = {
    "CARBON_EMISSIONS": "Carbon emissions of the use of AWS.",
    "COST_AND_USAGE_DASHBOARD": "The data of a dashboard of cost and usage.",
    "COST_AND_USAGE_REPORT": "Cost and Usage Report (CUR) 2.0.",
    "COST_OPTIMIZATION_RECOMMENDATIONS": "The recommendations of Cost Optimization Hub.",
    "FOCUS_1_0_AWS": "FOCUS 1.0 with AWS's own columns.",
    "FOCUS_1_2_AWS": "FOCUS 1.2 with AWS's own columns.",
}
_FROM = re.compile(r"select\s.+\sfrom\s+(\w+)", re.IGNORECASE | re.DOTALL)
Held = dict[str, dict[str, Any]]  # exports by their ARN


def _exports(state: SandboxState, call: Call) -> Held:
    accounts = state.of_service(SERVICE, dict[str, Held])
    return accounts.setdefault(call.caller.account_id, {})


def _export(state: SandboxState, call: Call) -> dict[str, Any]:
    arn = call.parameters.get("ExportArn") or call.parameters["ResourceArn"]
    held = _exports(state, call).get(arn)
    if held is None:
        raise ServiceError(
            "ResourceNotFoundException",
            f"The export {arn} was not found.",
            404,
            ResourceId=arn,
            ResourceType="Export",
        )
    return held


def create(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateExport: of a table, into a bucket that lets the service write."""
    export, exports = call.parameters["Export"], _exports(state, call)
    if any(held["Export"]["Name"] == export["Name"] for held in exports.values()):
        text = f"An export with the name {export['Name']} already exists."
        raise ServiceError("ValidationException", text)
    name = f"{export['Name']}-{uuid.uuid4()}"
    arn = f"arn:{PARTITION}:{SERVICE}:{call.region}:{call.caller.account_id}:export/{name}"
    _check(state, call, arn, export)
    now = datetime.now(timezone.utc)
    exports[arn] = {
        "Export": {**export, "ExportArn": arn},
        "Tags": {tag["Key"]: tag["Value"] for tag in call.parameters.get("ResourceTags", [])},
        "Status": {"StatusCode": "HEALTHY", "CreatedAt": now, "LastUpdatedAt": now},
    }
    return {"ExportArn": arn}


def update(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateExport."""
    held, arn = _export(state, call), call.parameters["ExportArn"]
    _check(state, call, arn, call.parameters["Export"])
    held["Export"] = {**call.parameters["Export"], "ExportArn": arn}
    held["Status"]["LastUpdatedAt"] = datetime.now(timezone.utc)
    return {"ExportArn": arn}


def _check(state: SandboxState, call: Call, arn: str, export: dict[str, Any]) -> None:
    table = _FROM.match(export["DataQuery"]["QueryStatement"].strip())
    if table is None or table[1].upper() not in _TABLES:
        raise ServiceError("ValidationException", "The query statement is not valid.")
    bucket = export["DestinationConfigurations"]["S3Destination"]["S3Bucket"]
    text = state.bucket_policies.get(bucket)
    context = {"aws:SourceAccount": call.caller.account_id, "aws:SourceArn": arn}
    object_arn = f"arn:{PARTITION}:s3:::{bucket}/export"
    request = AccessRequest("s3:PutObject", object_arn, context, {"Service": [_PRINCIPAL]})
    if (
        bucket_owner(bucket) is None
        or not text
        or decide([parse_policy(text)], request, resource_policy=True) != "allowed"
    ):
        raise ServiceError("ValidationException", "S3 bucket permission validation failed.")


def get(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetExport."""
    held = _export(state, call)
    return {"Export": held["Export"], "ExportStatus": held["Status"]}


def delete(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteExport."""
    arn = _export(state, call)["Export"]["ExportArn"]
    del _exports(state, call)[arn]
    return {"ExportArn": arn}


def list_exports(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListExports, on one page."""
    return {
        "Exports": [
            {"ExportArn": arn, "ExportName": held["Export"]["Name"], "ExportStatus": held["Status"]}
            for arn, held in _exports(state, call).items()
        ]
    }


def list_executions(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListExecutions: nothing has been delivered."""
    _export(state, call)
    return {"Executions": []}


def list_tables(_state: SandboxState, _call: Call) -> dict[str, Any]:
    """ListTables, without the properties that a table may be queried with."""
    tables = [{"TableName": name, "Description": text} for name, text in _TABLES.items()]
    return {"Tables": tables}


def tag(state: SandboxState, call: Call) -> dict[str, Any]:
    """TagResource."""
    given = call.parameters["ResourceTags"]
    _export(state, call)["Tags"].update({each["Key"]: each["Value"] for each in given})
    return {}


def untag(state: SandboxState, call: Call) -> dict[str, Any]:
    """UntagResource."""
    tags = _export(state, call)["Tags"]
    for key in call.parameters["ResourceTagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListTagsForResource."""
    tags = _export(state, call)["Tags"]
    return {"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def contents(state: SandboxState) -> Iterator[str]:
    """Describe the exports."""
    for exports in state.of_service(SERVICE, dict[str, Held]).values():
        yield from (f"export {arn}" for arn in exports)


OPERATIONS: dict[str, Operation] = {
    "CreateExport": create,
    "DeleteExport": delete,
    "GetExport": get,
    "ListExecutions": list_executions,
    "ListExports": list_exports,
    "ListTables": list_tables,
    "ListTagsForResource": list_tags,
    "TagResource": tag,
    "UntagResource": untag,
    "UpdateExport": update,
}
