"""IAM: users and their permissions boundaries, which moto lacks.

Source: IAM API Reference, CreateUser, PutUserPermissionsBoundary; answers recorded on AWS.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox import identity_policy
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"


def create(_state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateUser: with a boundary, if one is given."""
    given, own = call.parameters, iam(call.caller.account_id)
    boundary = given.get("PermissionsBoundary")
    if boundary:
        identity_policy.check_boundary(call.caller.account_id, boundary)
    made = own.create_user(
        call.region, given["UserName"], given.get("Path", "/"), given.get("Tags", [])
    )
    made.permissions_boundary_arn = boundary
    return {"User": _shown(made)}


def get(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetUser: of the caller, if no name is given."""
    user = _user(call)
    used = {"PasswordLastUsed": user.password_last_used} if user.password_last_used else {}
    return {"User": _shown(user) | used}


def put_boundary(_state: SandboxState, call: Call) -> dict[str, Any]:
    """PutUserPermissionsBoundary."""
    user, boundary = _user(call), call.parameters["PermissionsBoundary"]
    identity_policy.check_boundary(call.caller.account_id, boundary)
    user.permissions_boundary_arn = boundary
    return {}


def delete_boundary(_state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteUserPermissionsBoundary."""
    _user(call).permissions_boundary_arn = None
    return {}


def create_login(_state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateLoginProfile: moto forgets that the password is to be changed."""
    user, given = _user(call), call.parameters
    if user.password:
        text = f"Login Profile for user {user.name} already exists."
        raise ServiceError("EntityAlreadyExists", text, 409)
    user.password = given.get("Password")
    user.password_reset_required = bool(given.get("PasswordResetRequired"))
    profile = {
        "UserName": user.name,
        "CreateDate": datetime.now(timezone.utc),
        "PasswordResetRequired": user.password_reset_required,
    }
    return {"LoginProfile": profile}


def _user(call: Call) -> Any:
    name = call.parameters.get("UserName") or call.caller.name
    held = iam(call.caller.account_id).users.get(name)
    if held is None:
        raise ServiceError("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
    return held


def _shown(user: Any) -> dict[str, Any]:
    shown = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": user.create_date,
    }
    if boundary := getattr(user, "permissions_boundary_arn", None):
        shown["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": boundary,
        }
    return shown | ({"Tags": user.tags} if user.tags else {})


OPERATIONS: dict[str, Operation] = {
    "CreateLoginProfile": create_login,
    "CreateUser": create,
    "GetUser": get,
    "PutUserPermissionsBoundary": put_boundary,
    "DeleteUserPermissionsBoundary": delete_boundary,
}
