"""AWS::CUR::ReportDefinition: a type of us-east-1 alone, as its API is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Act, Kind, Made, exists_already
from orchestrator.sandbox.services import cur

_TYPE = "AWS::CUR::ReportDefinition"


def _definition(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The type has all of the API's fields, under the same names."""
    return {name: value for name, value in properties.items() if name != "Tags"}


def _create(act: Act, properties: Mapping[str, Any]) -> Made:
    name = properties["ReportName"]
    parameters = {
        "ReportDefinition": _definition(properties),
        "Tags": properties.get("Tags", []),
    }
    call = act.call("cur", "PutReportDefinition", parameters)
    if name in act.world.reports.get(act.account_id, {}):
        raise exists_already(_TYPE, name, str(uuid.uuid4()))
    cur.put(act.world, call)
    return Made(name)


def _update(act: Act, name: str, properties: Mapping[str, Any]) -> Made:
    parameters = {"ReportName": name, "ReportDefinition": _definition(properties)}
    cur.modify(act.world, act.call("cur", "ModifyReportDefinition", parameters))
    return Made(name)


def _delete(act: Act, name: str) -> None:
    cur.delete(act.world, act.call("cur", "DeleteReportDefinition", {"ReportName": name}))


KIND = Kind(
    type=_TYPE,
    properties=frozenset(
        {
            *("ReportName", "TimeUnit", "Format", "Compression", "AdditionalSchemaElements"),
            *("AdditionalArtifacts", "RefreshClosedReports", "ReportVersioning", "Tags"),
            *("S3Bucket", "S3Prefix", "S3Region", "BillingViewArn"),
        }
    ),
    replaced_by=frozenset(
        {"ReportName", "TimeUnit", "ReportVersioning", "AdditionalSchemaElements"}
    ),
    create=_create,
    update=_update,
    delete=_delete,
    regions=frozenset({"us-east-1"}),
)
