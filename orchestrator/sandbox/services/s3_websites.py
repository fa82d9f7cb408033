"""S3: the website configuration of a bucket, checked before moto stores it.

Source: S3 API Reference, PutBucketWebsite; the error texts were recorded on AWS.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError, malformed_xml

SERVICE = "s3"


def put_website(_state: SandboxState, call: Call) -> Any:
    """PutBucketWebsite: with an index, or to send all requests elsewhere."""
    asked = call.parameters.get("WebsiteConfiguration") or {}
    elsewhere, index = asked.get("RedirectAllRequestsTo"), asked.get("IndexDocument")
    if elsewhere and len(asked) > 1:
        raise _invalid(
            "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
            "RedirectAllRequestsTo",
            "not null",
        )
    if not elsewhere and index is None:
        raise _invalid(
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
            "IndexDocument",
            "null",
        )
    suffix = (index or {}).get("Suffix") or ""
    if not elsewhere and (not suffix or "/" in suffix):
        raise _invalid("The IndexDocument Suffix is not well formed", "IndexDocument", suffix)
    if "RoutingRules" in asked and not asked["RoutingRules"]:
        raise malformed_xml()
    for rule in asked.get("RoutingRules", []):
        _check_rule(rule)
    return TO_MOTO


def _invalid(message: str, argument: str, value: str) -> ServiceError:
    return ServiceError("InvalidArgument", message, ArgumentName=argument, ArgumentValue=value)


def _check_rule(rule: dict[str, Any]) -> None:
    redirect = rule.get("Redirect") or {}
    if redirect.get("Protocol", "http") not in ("http", "https"):
        raise ServiceError(
            "InvalidRequest",
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be"
            " selected automatically.",
        )
    if {"ReplaceKeyPrefixWith", "ReplaceKeyWith"} <= redirect.keys():
        raise ServiceError(
            "InvalidRequest", "You can only define ReplaceKeyPrefix or ReplaceKey but not both."
        )
    if "Condition" in rule and not rule["Condition"]:
        raise ServiceError(
            "InvalidRequest",
            "Condition cannot be empty. To redirect all requests without a condition, the condition"
            " element shouldn't be present.",
        )


OPERATIONS: dict[str, Operation] = {"PutBucketWebsite": put_website}
