"""IAM: users, with the permissions boundaries and renaming that moto lacks.

Source: IAM API Reference, CreateUser, UpdateUser, ChangePassword, PutUserPermissionsBoundary;
answers recorded on AWS.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox import identity_policy, principals
from orchestrator.sandbox.services import Operation, iam_credentials
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


def update(state: SandboxState, call: Call) -> Any:
    """UpdateUser: the user keeps its keys and tags, and policies that name it show its new ARN."""
    user, given = _user(call), call.parameters
    own, before, tags = iam(call.caller.account_id), user.arn, user.tags
    name = given.get("NewUserName", user.name)
    for key in user.access_keys:
        key.user_name = name
    iam_credentials.rename(state, call.caller.account_id, user.name, name)
    own.update_user(user.name, given.get("NewPath"), given.get("NewUserName"))
    if user.arn != before:
        own.tagger.delete_all_tags_for_resource(before)
        own.tagger.tag_resource(user.arn, tags)
        principals.rename(state, before, user.arn)
    return {}


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
    user.login_created = user.password_changed = datetime.now(timezone.utc)
    return {"LoginProfile": _login(user)}


def get_login(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetLoginProfile."""
    return {"LoginProfile": _login(_with_login(call))}


def update_login(_state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateLoginProfile: what is not given stays (moto would remove the password)."""
    user, given = _with_login(call), call.parameters
    if "Password" in given:
        user.password, user.password_changed = given["Password"], datetime.now(timezone.utc)
    user.password_reset_required = given.get("PasswordResetRequired", user.password_reset_required)
    return {}


def _login(user: Any) -> dict[str, Any]:
    return {
        "UserName": user.name,
        "CreateDate": user.login_created,
        "PasswordResetRequired": user.password_reset_required,
    }


def _with_login(call: Call) -> Any:
    user = _user(call)
    if not user.password:
        text = f"Login Profile for User {user.name} cannot be found."
        raise ServiceError("NoSuchEntity", text, 404)
    return user


def change_password(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ChangePassword: of the caller, who must be a user with a password."""
    if call.caller.kind != "user":
        text = "Only IAM Users can change their own password"
        raise ServiceError("InvalidUserType", text)
    user = _with_login(call)
    if user.password != call.parameters["OldPassword"]:
        raise ServiceError("AccessDenied", "The old password was incorrect.", 403)
    user.password, user.password_reset_required = call.parameters["NewPassword"], False
    user.password_changed = datetime.now(timezone.utc)
    return {}


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
    "ChangePassword": change_password,
    "CreateLoginProfile": create_login,
    "CreateUser": create,
    "GetLoginProfile": get_login,
    "GetUser": get,
    "UpdateLoginProfile": update_login,
    "UpdateUser": update,
    "PutUserPermissionsBoundary": put_boundary,
    "DeleteUserPermissionsBoundary": delete_boundary,
}
