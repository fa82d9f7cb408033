"""S3: the notifications of a bucket, which moto would lose EventBridge's empty settings of.

Source: S3 User Guide, "Configuring event notifications using object key name filtering"; the error
texts were recorded on AWS.
"""

from __future__ import annotations

import uuid
from itertools import combinations
from typing import Any

from botocore.session import get_session

from orchestrator.sandbox.object_versions import bucket_named
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"
# The lists of targets, their ARNs, and what S3 calls these.
_TARGETS = {
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "CloudFunction"),
    "QueueConfigurations": ("QueueArn", "Queue"),
    "TopicConfigurations": ("TopicArn", "Topic"),
}


def put_notification(state: SandboxState, call: Call) -> dict[str, Any]:
    """PutBucketNotificationConfiguration: a target without an id gets one."""
    given = call.parameters.get("NotificationConfiguration") or {}
    targets = [target for kind in _TARGETS for target in given.get(kind) or ()]
    for kind, (member, name) in _TARGETS.items():
        for target in given.get(kind) or ():
            _check_target(target, target.get(member, ""), name)
    for one, other in combinations(targets, 2):
        _check_overlap(one, other)
    # The sandbox has no queues, functions, and topics that S3 may publish to.
    if targets and not call.parameters.get("SkipDestinationValidation"):
        raise _refused("Unable to validate the following destination configurations")
    for target in targets:
        target.setdefault("Id", str(uuid.uuid4()))
    state.notifications[bucket_named(call.uri["Bucket"]).name] = given
    return {}


def _check_target(target: dict[str, Any], arn: str, name: str) -> None:
    if arn.count(":") < 5 or not arn.startswith("arn:"):
        raise _refused("The ARN could not be parsed", ArgumentName=name, ArgumentValue=arn)
    for rule in _rules(target):
        if rule.get("Name", "").lower() not in ("prefix", "suffix"):
            raise _refused(
                "filter rule name must be either prefix or suffix",
                ArgumentName="FilterRule.Name",
                ArgumentValue=rule.get("Name", ""),
            )
    known = get_session().get_service_model("s3").shape_for("Event").metadata["enum"]
    if unknown := next((event for event in target.get("Events", []) if event not in known), None):
        raise _refused(
            "A specified event is not supported for notifications.",
            ArgumentName="Event",
            ArgumentValue=unknown,
        )


def _check_overlap(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Refuse targets of which both would be notified of the same event of an object."""
    if not any(_includes(a, b) or _includes(b, a) for a in one["Events"] for b in other["Events"]):
        return
    prefixes, suffixes = ([_part(each, name) for each in (one, other)] for name in _PARTS)
    if not (_begins(*prefixes) and _begins(*(suffix[::-1] for suffix in suffixes))):
        return
    if any((*prefixes, *suffixes)):
        raise _refused(
            "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if"
            " the prefixes are overlapping for the same event type."
        )
    raise _refused(
        "Configurations overlap. Configurations on the same bucket cannot share a common event"
        " type.",
        ArgumentName="Event",
    )


_PARTS = ("prefix", "suffix")


def _rules(target: dict[str, Any]) -> list[dict[str, str]]:
    found = (target.get("Filter") or {}).get("Key") or {}
    return found.get("FilterRules") or []


def _part(target: dict[str, Any], name: str) -> str:
    return next((r.get("Value", "") for r in _rules(target) if r["Name"].lower() == name), "")


def _begins(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _includes(event: str, other: str) -> bool:
    return event == other or (event.endswith("*") and other.startswith(event[:-1]))


def _refused(message: str, **members: str) -> ServiceError:
    return ServiceError("InvalidArgument", message, 400, **members)


def get_notification(state: SandboxState, call: Call) -> Any:
    """GetBucketNotificationConfiguration."""
    return state.notifications.get(bucket_named(call.uri["Bucket"]).name, {})


OPERATIONS: dict[str, Operation] = {
    "GetBucketNotificationConfiguration": get_notification,
    "PutBucketNotificationConfiguration": put_notification,
}
