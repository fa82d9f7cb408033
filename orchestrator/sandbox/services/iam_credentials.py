"""IAM: the credentials of users for single services, such as CodeCommit's.

Source: IAM API Reference, CreateServiceSpecificCredential and its siblings; answers recorded on
AWS.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
_SERVICES = ("cassandra.amazonaws.com", "codecommit.amazonaws.com")
_MOST = 2  # for one user and service
_SHOWN = "ServicePassword"  # when it is made, and never again
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
Credentials = dict[str, dict[str, Any]]  # by id


def create(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateServiceSpecificCredential: up to two for each service."""
    given, user = call.parameters, _user(call)
    _check_service(given["ServiceName"])
    of_user = _of(state, call, user)
    number = sum(c["ServiceName"] == given["ServiceName"] for c in of_user.values())
    if number >= _MOST:
        raise ServiceError(
            "LimitExceeded",
            f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {_MOST}",
            409,
        )
    name = f"{user}-at-{call.caller.account_id}" if not number else f"{user}+{number}-at-"
    made = {
        "CreateDate": datetime.now(timezone.utc),
        "ServiceName": given["ServiceName"],
        "ServiceSpecificCredentialId": "ACCA" + _random(17),
        "ServiceUserName": name if not number else f"{name}{call.caller.account_id}",
        "Status": "Active",
        "UserName": user,
        _SHOWN: secrets.token_urlsafe(32),
    }
    of_user[made["ServiceSpecificCredentialId"]] = made
    return {"ServiceSpecificCredential": made}


def list_(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListServiceSpecificCredentials: without the passwords."""
    user, service = _user(call), call.parameters.get("ServiceName")
    if service is not None:
        _check_service(service)
    found = [c for c in _of(state, call, user).values() if service in (None, c["ServiceName"])]
    shown = [{name: c[name] for name in c if name != _SHOWN} for c in found]
    return {"ServiceSpecificCredentials": shown}


def update(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateServiceSpecificCredential: Active or Inactive."""
    _, credential = _credential(state, call)
    credential["Status"] = call.parameters["Status"]
    return {}


def reset(state: SandboxState, call: Call) -> dict[str, Any]:
    """ResetServiceSpecificCredential: another password."""
    _, credential = _credential(state, call)
    credential[_SHOWN] = secrets.token_urlsafe(32)
    return {"ServiceSpecificCredential": credential}


def delete(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteServiceSpecificCredential."""
    of_user, credential = _credential(state, call)
    del of_user[credential["ServiceSpecificCredentialId"]]
    return {}


def has_any(state: SandboxState, account_id: str, user: str) -> bool:
    """Whether a user has such a credential, which keeps it from being deleted."""
    return bool(_all(state).get((account_id, user)))


def rename(state: SandboxState, account_id: str, before: str, after: str) -> None:
    """Keep the credentials of a user who has another name from now on."""
    if of_user := _all(state).pop((account_id, before), None):
        for credential in of_user.values():
            credential["UserName"] = after
        _all(state)[account_id, after] = of_user


def _user(call: Call) -> str:
    name = str(call.parameters.get("UserName") or call.caller.name)
    if name not in iam(call.caller.account_id).users:
        raise ServiceError("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
    return name


def _credential(state: SandboxState, call: Call) -> tuple[Credentials, dict[str, Any]]:
    of_user, id_ = _of(state, call, _user(call)), call.parameters["ServiceSpecificCredentialId"]
    if id_ not in of_user:
        raise ServiceError("NoSuchEntity", f"No such credential {id_} exists", 404)
    return of_user, of_user[id_]


def _check_service(service: str) -> None:
    if service not in _SERVICES:
        raise ServiceError(
            "NoSuchEntity",
            f"No such service {service} is supported for Service Specific Credentials",
            404,
        )


def _of(state: SandboxState, call: Call, user: str) -> Credentials:
    return _all(state).setdefault((call.caller.account_id, user), {})


def _all(state: SandboxState) -> dict[tuple[str, str], Credentials]:
    return state.of_service("iam-credentials", dict[tuple[str, str], Credentials])


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


OPERATIONS: dict[str, Operation] = {
    "CreateServiceSpecificCredential": create,
    "ListServiceSpecificCredentials": list_,
    "UpdateServiceSpecificCredential": update,
    "ResetServiceSpecificCredential": reset,
    "DeleteServiceSpecificCredential": delete,
}
