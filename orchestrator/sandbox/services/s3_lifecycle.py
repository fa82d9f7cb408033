"""S3: the lifecycle of objects: its rules, and when an object expires by them.

moto forgets conditions of size. Source: S3 API Reference, PutBucketLifecycleConfiguration and
"x-amz-expiration" of PutObject; the error texts were recorded on AWS.
"""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

from orchestrator.sandbox.object_versions import bucket_named
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError, malformed_xml

SERVICE = "s3"
_CLOCK = re.compile(r"\d\d:\d\d:\d\d")
_SIZES = ("all_storage_classes_128K", "varies_by_storage_class")
_CONDITIONS = {"Prefix", "Tag", "And", "ObjectSizeGreaterThan", "ObjectSizeLessThan"}
_ACTIONS = {
    *("Expiration", "Transitions", "NoncurrentVersionExpiration", "NoncurrentVersionTransitions"),
    "AbortIncompleteMultipartUpload",
}


def put_lifecycle(_state: SandboxState, call: Call) -> dict[str, Any]:
    """PutBucketLifecycleConfiguration: rules without an id get one."""
    size = call.parameters.get("TransitionDefaultMinimumObjectSize") or _SIZES[0]
    if size not in _SIZES:
        raise ServiceError(
            "InvalidRequest", f"Invalid TransitionDefaultMinimumObjectSize found: {size}"
        )
    rules = call.parameters["LifecycleConfiguration"]["Rules"]
    _check(rules)
    chosen = {"TransitionDefaultMinimumObjectSize": size}
    bucket_named(call.uri["Bucket"]).lifecycle = {
        "Rules": [{**rule, "ID": rule.get("ID") or str(uuid.uuid4())} for rule in rules],
        **chosen,
    }
    return chosen


def get_lifecycle(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetBucketLifecycleConfiguration."""
    held: dict[str, Any] = _of(call.uri["Bucket"])
    if not held:
        raise ServiceError(
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
            404,
            BucketName=call.uri["Bucket"],
        )
    return held


def delete_lifecycle(_state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteBucketLifecycle: of none, it succeeds."""
    bucket_named(call.uri["Bucket"]).lifecycle = {}
    return {}


def _of(bucket: str) -> dict[str, Any]:
    held: dict[str, Any] = getattr(bucket_named(bucket), "lifecycle", {})
    return held


def expiration(bucket: str, held: Any, tags: dict[str, str]) -> str:
    """Say when an object expires, and by which rule; empty if it does not."""
    found = [
        (date, rule["ID"])
        for rule in _of(bucket).get("Rules", [])
        if rule["Status"] == "Enabled"
        and _matches(rule, held, tags)
        and (date := _date(rule.get("Expiration") or {}, held)) is not None
    ]
    if not found:
        return ""
    date, rule_id = min(found, key=lambda each: each[0])
    return f'expiry-date="{format_datetime(date, usegmt=True)}", rule-id="{rule_id}"'


def _date(asked: dict[str, Any], held: Any) -> datetime | None:
    if isinstance(asked.get("Date"), datetime):
        given: datetime = asked["Date"]
        return given.astimezone(timezone.utc)
    if "Days" not in asked:
        return None
    written = held.last_modified.replace(tzinfo=timezone.utc)
    day = written + timedelta(days=int(asked["Days"]) + 1)
    midnight: datetime = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight


def _matches(rule: dict[str, Any], held: Any, tags: dict[str, str]) -> bool:
    found = rule.get("Filter") or {}
    conditions = {**found, **found.get("And", {})}
    wanted = [*conditions.get("Tags", []), *filter(None, [conditions.get("Tag")])]
    return (
        held.name.startswith(conditions.get("Prefix", rule.get("Prefix", "")))
        and held.size > conditions.get("ObjectSizeGreaterThan", -1)
        and held.size < conditions.get("ObjectSizeLessThan", held.size + 1)
        and all(tags.get(tag["Key"]) == tag["Value"] for tag in wanted)
    )


def _check(rules: list[dict[str, Any]]) -> None:
    ids = set()
    for rule in rules:
        _check_rule(rule)
        if rule.get("ID") and rule["ID"] in ids:
            raise ServiceError(
                "InvalidArgument",
                "Rule ID must be unique. Found same ID for more than one rule",
                ArgumentName="ID",
                ArgumentValue=rule["ID"],
            )
        ids.add(rule.get("ID"))


def _check_rule(rule: dict[str, Any]) -> None:
    found = rule.get("Filter")
    if found is None and "Prefix" not in rule:
        raise malformed_xml()
    if found and len(_CONDITIONS & found.keys()) > 1:
        raise malformed_xml()
    both = (found or {}).get("And")
    if both is not None and len(both.get("Tags", [])) + len(both.keys() - {"Tags"}) < 2:
        raise malformed_xml()
    keys = [tag["Key"] for tag in (both or {}).get("Tags", [])]
    if len(keys) != len(set(keys)):
        raise ServiceError("InvalidRequest", "Duplicate Tag Keys are not allowed.")
    if not _ACTIONS & rule.keys():
        raise ServiceError("InvalidRequest", "At least one action needs to be specified in a rule.")
    if "NoncurrentVersionExpiration" in rule and not rule["NoncurrentVersionExpiration"]:
        raise malformed_xml()
    expiration = rule.get("Expiration")
    if expiration is not None:
        _check_expiration(expiration)
    if len(rule.get("ID") or "") > _MOST_OF_ID:
        raise _wrong(f"ID length should not exceed allowed limit of {_MOST_OF_ID}")
    conditions = {**(found or {}), **(both or {})}
    for action, is_given in (
        ("AbortIncompleteMultipartUpload", "AbortIncompleteMultipartUpload" in rule),
        ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker" in (expiration or {})),
    ):
        for what, names in _NOT_WITH.items():
            if is_given and names & conditions.keys():
                raise ServiceError("InvalidRequest", f"{action} cannot be specified with {what}")
    _check_transitions(rule)


_MOST_OF_ID = 255
_NOT_WITH = {
    "Tags.": {"Tag", "Tags"},
    "Object Size.": {"ObjectSizeGreaterThan", "ObjectSizeLessThan"},
}
_INFREQUENT = {"STANDARD_IA": 30, "ONEZONE_IA": 30}  # the least days before the transition


def _check_transitions(rule: dict[str, Any]) -> None:
    """Check when objects change their class, and that they expire later than that."""
    for unit, action, moved in (
        ("Days", "Expiration", "Transition"),
        ("NoncurrentDays", "NoncurrentVersionExpiration", "NoncurrentVersionTransition"),
    ):
        days = [0]
        for transition in rule.get(f"{moved}s") or ():
            least, kind = _INFREQUENT.get(transition["StorageClass"], 0), transition["StorageClass"]
            if unit in transition and transition[unit] < least:
                raise _wrong(
                    f"'{unit}' in {moved} action must be greater than or equal to {least} for"
                    f" storageClass '{kind}'"
                )
            days.append(transition.get(unit, 0))
        expires = (rule.get(action) or {}).get(unit)
        if expires is not None and expires <= max(days):
            raise _wrong(
                f"'{unit}' in the {action} action for {_condition(rule)} must be greater than"
                f" '{unit}' in the {moved} action"
            )


def _condition(rule: dict[str, Any]) -> str:
    """Name the objects of a rule as errors do; those of tags and sizes as of the prefix."""
    if "Filter" not in rule:
        return f"prefix '{rule['Prefix']}'"
    conditions = {**rule["Filter"], **rule["Filter"].get("And", {})}
    return f"filter '(prefix={conditions.get('Prefix', '')})'"


def _wrong(message: str) -> ServiceError:
    return ServiceError("InvalidArgument", message)


def _check_expiration(expiration: dict[str, Any]) -> None:
    if len(expiration.keys() & {"Days", "Date", "ExpiredObjectDeleteMarker"}) != 1:
        raise malformed_xml()
    date = expiration.get("Date")
    if date is not None and _time(date) != "00:00:00":
        raise ServiceError(
            "InvalidArgument",
            "'Date' must be at midnight GMT",
            ArgumentName="Date",
            ArgumentValue=str(date),
        )
    if expiration.get("Days", 1) < 1:
        raise ServiceError(
            "InvalidArgument", "'Days' for Expiration action must be a positive integer"
        )


def _time(date: Any) -> str:
    found = _CLOCK.search(str(date))
    return found[0] if found else "00:00:00"


OPERATIONS: dict[str, Operation] = {
    "DeleteBucketLifecycle": delete_lifecycle,
    "GetBucketLifecycleConfiguration": get_lifecycle,
    "PutBucketLifecycleConfiguration": put_lifecycle,
}
