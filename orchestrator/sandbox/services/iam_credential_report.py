"""IAM: the credential report, with the account's root user.

Source: IAM User Guide, "Generate credential reports for your AWS account".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import PARTITION, SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
_OF_KEY = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
_COLUMNS = (
    *("user", "arn", "user_creation_time", "password_enabled", "password_last_used"),
    *("password_last_changed", "password_next_rotation", "mfa_active"),
    *(f"access_key_{number}_{what}" for number in (1, 2) for what in _OF_KEY),
    *(f"cert_{number}_{what}" for number in (1, 2) for what in ("active", "last_rotated")),
)
_NONE = "N/A"
_NO_KEY = ["false", *([_NONE] * 4)]
_NO_CERTIFICATE = ["false", _NONE]
Reports = dict[str, datetime]  # when each account's report was generated


def generate(state: SandboxState, call: Call) -> dict[str, Any]:
    """GenerateCredentialReport: the second call says that it is there."""
    reports = _reports(state)
    if call.caller.account_id in reports:
        return {"State": "COMPLETE"}
    reports[call.caller.account_id] = datetime.now(timezone.utc)
    return {
        "State": "STARTED",
        "Description": "No report exists. Starting a new report generation task",
    }


def get(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetCredentialReport."""
    account_id = call.caller.account_id
    generated = _reports(state).get(account_id)
    if generated is None:
        raise ServiceError("ReportNotPresent", "", 410)
    rows = [_COLUMNS, [*_of_root(account_id, generated)]]
    rows += [[*_of_user(user)] for user in iam(account_id).users.values()]
    content = "\n".join(",".join(row) for row in rows)
    return {
        "Content": content.encode(),
        "ReportFormat": "text/csv",
        "GeneratedTime": generated,
    }


def _of_root(account_id: str, since: datetime) -> Iterator[str]:
    yield from ("<root_account>", f"arn:{PARTITION}:iam::{account_id}:root", _date(since))
    yield from ("not_supported", "no_information", "not_supported", "not_supported", "false")
    yield from (*_NO_KEY, *_NO_KEY, *_NO_CERTIFICATE, *_NO_CERTIFICATE)


def _of_user(user: Any) -> Iterator[str]:
    yield from (user.name, user.arn, _date(user.create_date), _flag(user.password))
    used = _date(user.password_last_used) if user.password_last_used else "no_information"
    yield from (used, _date(user.password_changed)) if user.password else (_NONE, _NONE)
    yield from (_NONE, _flag(user.mfa_devices))
    keys = [[*_of_key(key)] for key in user.access_keys]
    yield from (column for row in [*keys, _NO_KEY, _NO_KEY][:2] for column in row)
    certificates = [
        [_flag(held.status == "Active"), _date(held.upload_date)]
        for held in user.signing_certificates.values()
    ]
    rows = [*certificates, _NO_CERTIFICATE, _NO_CERTIFICATE]
    yield from (column for row in rows[:2] for column in row)


def _of_key(key: Any) -> Iterator[str]:
    yield from (_flag(key.status == "Active"), _date(key.create_date))
    used = key.last_used
    yield from (_date(used), used.region, used.service) if used else (_NONE, _NONE, _NONE)


def _flag(value: Any) -> str:
    return "true" if value else "false"


def _date(value: Any) -> str:
    return str(value.strftime("%Y-%m-%dT%H:%M:%S+00:00"))


def _reports(state: SandboxState) -> Reports:
    return state.of_service("iam-credential-report", Reports)


OPERATIONS: dict[str, Operation] = {
    "GenerateCredentialReport": generate,
    "GetCredentialReport": get,
}
