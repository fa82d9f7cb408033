"""AWS::CUR::ReportDefinition, which exists in us-east-1 only, like its API."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType, already_exists
from orchestrator.sandbox.services import cur

_TYPE = "AWS::CUR::ReportDefinition"


def _definition(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Convert properties to the API's ReportDefinition, whose fields have the same names."""
    return {name: value for name, value in properties.items() if name != "Tags"}


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties["ReportName"]
    parameters = {
        "ReportDefinition": _definition(properties),
        "Tags": properties.get("Tags", []),
    }
    call = actor.call("cur", "PutReportDefinition", parameters)
    if name in actor.state.reports.get(actor.account_id, {}):
        raise already_exists(_TYPE, name, str(uuid.uuid4()))
    cur.put(actor.state, call)
    return CreatedResource(name)


def _update(actor: Actor, name: str, properties: Mapping[str, Any]) -> CreatedResource:
    parameters = {"ReportName": name, "ReportDefinition": _definition(properties)}
    cur.modify(actor.state, actor.call("cur", "ModifyReportDefinition", parameters))
    return CreatedResource(name)


def _delete(actor: Actor, name: str) -> None:
    cur.delete(actor.state, actor.call("cur", "DeleteReportDefinition", {"ReportName": name}))


RESOURCE_TYPE = ResourceType(
    type=_TYPE,
    properties=frozenset(
        {
            *("ReportName", "TimeUnit", "Format", "Compression", "AdditionalSchemaElements"),
            *("AdditionalArtifacts", "RefreshClosedReports", "ReportVersioning", "Tags"),
            *("S3Bucket", "S3Prefix", "S3Region", "BillingViewArn"),
        }
    ),
    replacement_properties=frozenset(
        {"ReportName", "TimeUnit", "ReportVersioning", "AdditionalSchemaElements"}
    ),
    create=_create,
    update=_update,
    delete=_delete,
    regions=frozenset({"us-east-1"}),
)
