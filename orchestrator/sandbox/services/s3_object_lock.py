"""S3: Object Lock of buckets, and the retention and legal hold of their objects.

moto refuses Object Lock for a bucket with objects, which S3 allows since 2023, and cannot say what
an object is retained by. Source: S3 API Reference; the error texts were recorded on AWS.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.sandbox.object_versions import bucket_named, existing
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError, malformed_xml

SERVICE = "s3"
_OF_OBJECTS = {
    *("GetObjectLegalHold", "GetObjectRetention"),
    *("PutObjectLegalHold", "PutObjectRetention"),
}


def put_configuration(_state: SandboxState, call: Call) -> dict[str, Any]:
    """PutObjectLockConfiguration: of a bucket with versioning."""
    bucket = bucket_named(call.uri["Bucket"])
    if bucket.versioning_status != "Enabled":
        raise ServiceError(
            "InvalidBucketState",
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
            409,
        )
    asked = call.parameters.get("ObjectLockConfiguration") or {}
    default = (asked.get("Rule") or {}).get("DefaultRetention") or {}
    periods = [default[unit] for unit in ("Days", "Years") if unit in default]
    is_complete = len(periods) == 1 and "Mode" in default
    if "ObjectLockEnabled" not in asked or ("Rule" in asked and not is_complete):
        raise malformed_xml()
    if any(period < 1 for period in periods):
        raise ServiceError(
            "InvalidArgument",
            "Default retention period must be a positive integer value.",
            ArgumentName="Days" if "Days" in default else "Years",
            ArgumentValue=str(periods[0]),
        )
    bucket.object_lock_enabled, bucket.default_lock_mode = True, default.get("Mode")
    bucket.default_lock_days = default.get("Days", 0)
    bucket.default_lock_years = default.get("Years", 0)
    return {}


def get_configuration(_state: SandboxState, call: Call) -> Any:
    """GetObjectLockConfiguration: with the default retention that there is, in its own unit."""
    bucket = bucket_named(call.uri["Bucket"])
    if not bucket.object_lock_enabled:
        return TO_MOTO
    answer: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    if bucket.default_lock_mode:
        periods = {"Days": bucket.default_lock_days, "Years": bucket.default_lock_years}
        given = {unit: period for unit, period in periods.items() if period}
        answer["Rule"] = {"DefaultRetention": {"Mode": bucket.default_lock_mode, **given}}
    return {"ObjectLockConfiguration": answer}


def check(_state: SandboxState, call: Call) -> None:
    """Refuse retention and legal holds in a bucket without Object Lock.

    Raises:
        ServiceError: InvalidRequest.
    """
    if call.operation not in _OF_OBJECTS:
        return
    existing(call)
    if call.operation == "PutObjectLegalHold" and not call.parameters.get("LegalHold"):
        raise malformed_xml()
    if not bucket_named(call.uri["Bucket"]).object_lock_enabled:
        raise ServiceError("InvalidRequest", "Bucket is missing Object Lock Configuration")


def get_retention(_state: SandboxState, call: Call) -> Any:
    """GetObjectRetention."""
    held = existing(call)
    if not held.lock_mode:
        raise _without_lock()
    return {"Retention": {"Mode": held.lock_mode, "RetainUntilDate": _retained_until(held)}}


def _retained_until(held: Any) -> datetime:
    return datetime.fromisoformat(str(held.lock_until).replace("Z", "+00:00"))


def put_retention(_state: SandboxState, call: Call) -> dict[str, Any]:
    """PutObjectRetention: what is retained already may be retained longer."""
    held, asked = existing(call), call.parameters.get("Retention") or {}
    if asked and not {"Mode", "RetainUntilDate"} <= asked.keys():
        raise malformed_xml()
    mode, until = asked.get("Mode"), asked.get("RetainUntilDate")
    if until is not None:
        until = until if until.tzinfo else until.replace(tzinfo=timezone.utc)
        if until <= datetime.now(timezone.utc):
            raise _past("RetainUntilDate", until)
    bypass = bool(call.parameters.get("BypassGovernanceRetention"))
    if _is_retained(held, bypass=bypass):
        is_weaker = mode != held.lock_mode and held.lock_mode == "COMPLIANCE"
        if until is None or is_weaker or until < _retained_until(held):
            raise protected()
    held.lock_mode = mode
    held.lock_until = until and until.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {}


def _past(argument: str, until: datetime) -> ServiceError:
    pacific = until.astimezone(ZoneInfo("America/Los_Angeles"))
    return ServiceError(
        "InvalidArgument",
        "The retain until date must be in the future!",
        ArgumentName=argument,
        ArgumentValue=pacific.strftime("%a %b %d %H:%M:%S %Z %Y"),
    )


def check_lock_headers(call: Call) -> None:
    """Check how an object to be written is to be retained.

    Raises:
        ServiceError: InvalidArgument.
    """
    given, header = call.parameters, "x-amz-object-lock"
    names = {"ObjectLockMode": f"{header}-mode"}
    names["ObjectLockRetainUntilDate"] = f"{header}-retain-until-date"
    missing = [names[name] for name in names if not given.get(name)]
    if len(missing) == 1:
        raise ServiceError(
            "InvalidArgument",
            f"{header}-retain-until-date and {header}-mode must both be supplied",
            ArgumentName=missing[0],
        )
    mode, until = (given.get(name) for name in names)
    if mode and mode not in ("GOVERNANCE", "COMPLIANCE"):
        raise ServiceError(
            "InvalidArgument",
            "Unknown wormMode directive.",
            ArgumentName=f"{header}-mode",
            ArgumentValue=mode,
        )
    if until:
        until = until if until.tzinfo else until.replace(tzinfo=timezone.utc)
        if until <= datetime.now(timezone.utc):
            raise _past(f"{header}-retain-until-date", until)


def _is_retained(held: Any, *, bypass: bool) -> bool:
    if not getattr(held, "lock_mode", None) or (bypass and held.lock_mode == "GOVERNANCE"):
        return False
    return _retained_until(held) > datetime.now(timezone.utc)


def is_protected(held: Any, *, bypass: bool) -> bool:
    """Whether a version may not be deleted, by its legal hold or its retention."""
    on_hold = getattr(held, "lock_legal_status", None) == "ON"
    return on_hold or _is_retained(held, bypass=bypass)


def protected() -> ServiceError:
    """Make the error of a version that may not be deleted or retained less."""
    return ServiceError(
        "AccessDenied", "Access Denied because object protected by object lock.", 403
    )


def get_legal_hold(_state: SandboxState, call: Call) -> Any:
    """GetObjectLegalHold: OFF where there was one, none where there never was."""
    if not existing(call).lock_legal_status:
        raise _without_lock()
    return TO_MOTO


def _without_lock() -> ServiceError:
    return ServiceError(
        "NoSuchObjectLockConfiguration",
        "The specified object does not have a ObjectLock configuration",
        404,
    )


OPERATIONS: dict[str, Operation] = {
    "GetObjectLegalHold": get_legal_hold,
    "GetObjectLockConfiguration": get_configuration,
    "GetObjectRetention": get_retention,
    "PutObjectLockConfiguration": put_configuration,
    "PutObjectRetention": put_retention,
}
