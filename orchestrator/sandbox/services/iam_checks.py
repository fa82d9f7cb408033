"""IAM: what is refused before an entity is changed: taken names, tags, quotas, conflicts.

Source: IAM API Reference, the errors of each operation; IAM User Guide, "IAM and AWS STS quotas",
"Rules for tagging in IAM and AWS STS"; real error texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from orchestrator.sandbox.services.iam_credentials import has_any
from orchestrator.sandbox.state import SandboxState, iam, role
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
OPERATIONS: dict[str, Any] = {}
_OF_AWS = re.compile(r"arn:aws[\w-]*:iam::aws:policy/")
_OF_OWNER = (
    "CreatePolicyVersion",
    "DeletePolicy",
    "DeletePolicyVersion",
    "SetDefaultPolicyVersion",
    "TagPolicy",
    "UntagPolicy",
)
_MOST_TAGS = 50
_MOST_GROUPS = 10
# What is made: the parameter with its name, the names that are taken, the error's text.
_Names = Callable[[Any], Iterable[str]]
_CREATIONS: dict[str, tuple[str, _Names, str]] = {
    "CreateGroup": (
        "GroupName",
        lambda own: own.groups,
        "Group with name {} already exists.",
    ),
    "CreateInstanceProfile": (
        "InstanceProfileName",
        lambda own: (p.name for p in own.instance_profiles.values()),
        "Instance Profile {} already exists.",
    ),
    "CreatePolicy": (
        "PolicyName",
        lambda own: (p.name for a, p in own.managed_policies.items() if ":aws:policy/" not in a),
        "A policy called {} already exists. Duplicate names are not allowed.",
    ),
    "CreateRole": (
        "RoleName",
        lambda own: (r.name for r in own.roles.values()),
        "Role with name {} already exists.",
    ),
    "CreateUser": (
        "UserName",
        lambda own: own.users,
        "User with name {} already exists.",
    ),
}
_RENAMED = {
    "UpdateGroup": ("CreateGroup", "NewGroupName", "GroupName"),
    "UpdateUser": ("CreateUser", "NewUserName", "UserName"),
}
_QUOTAS = {
    "CreateGroup": ("GroupsPerAccount", 300),
    "CreateInstanceProfile": ("InstanceProfilesPerAccount", 1000),
    "CreatePolicy": ("PoliciesPerAccount", 1500),
    "CreateRole": ("RolesPerAccount", 1000),
    "CreateUser": ("UsersPerAccount", 5000),
}


def check(state: SandboxState, call: Call) -> None:
    """Refuse a call that AWS refuses for one of these reasons.

    Raises:
        ServiceError: ValidationError, AccessDenied, EntityAlreadyExists, InvalidInput,
            LimitExceeded or DeleteConflict.
    """
    _check_whose(call)
    _check_name(call)
    if call.parameters.get("Tags"):
        _check_tags(call)
    if call.operation == "AddUserToGroup":
        _check_groups(call)
    for held, what in _conflicts(state, call):
        if held:
            raise ServiceError("DeleteConflict", f"Cannot delete entity, must {what} first.", 409)


def _check_whose(call: Call) -> None:
    """AWS's own policies are read and attached, and not changed."""
    arn = call.parameters.get("PolicyArn", "")
    if _OF_AWS.match(arn) and call.operation in _OF_OWNER:
        raise ServiceError(
            "AccessDenied",
            f"User: {call.caller.arn} is not authorized to perform: iam:{call.operation} on"
            f" resource: policy {arn}",
            403,
        )


def _check_name(call: Call) -> None:
    """Names are unique in an account, whatever their case."""
    operation, parameter, present = _RENAMED.get(call.operation, (call.operation, "", ""))
    if operation not in _CREATIONS:
        return
    of_creation, names_of, text = _CREATIONS[operation]
    name = call.parameters.get(parameter or of_creation, "").lower()
    names = {taken.lower() for taken in names_of(iam(call.caller.account_id))}
    names.discard(call.parameters.get(present, "").lower() if present else "")
    if name in names:
        shown = call.parameters[parameter or of_creation]
        raise ServiceError("EntityAlreadyExists", text.format(shown), 409)
    quota, most = _QUOTAS[operation]
    if call.operation == operation and len(names) >= most:
        raise ServiceError("LimitExceeded", f"Cannot exceed quota for {quota}: {most}", 409)


def _check_tags(call: Call) -> None:
    """Keys are unique whatever their case, none is AWS's own, and an entity has at most 50."""
    keys = [tag["Key"].lower() for tag in call.parameters["Tags"]]
    if len(keys) != len(set(keys)):
        raise ServiceError(
            "InvalidInput",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        )
    if any(key.startswith("aws:") for key in keys):
        raise ServiceError("InvalidInput", "Tag keys that start with aws: are reserved for AWS.")
    if len({*keys, *_tag_keys(call)}) > _MOST_TAGS:
        raise ServiceError(
            "LimitExceeded", "The number of tags has reached the maximum limit.", 409
        )


def _tag_keys(call: Call) -> set[str]:
    """Get the keys of the tags that an entity has, in lower case."""
    own, given = iam(call.caller.account_id), call.parameters
    held: Any = None
    if call.operation == "TagRole":
        held = role(call.caller.account_id, given["RoleName"])
    elif call.operation == "TagUser":
        held = own.users.get(given["UserName"])
    elif call.operation == "TagPolicy":
        held = own.managed_policies.get(given["PolicyArn"])
    elif call.operation == "TagInstanceProfile":
        name = given["InstanceProfileName"]
        held = next((p for p in own.instance_profiles.values() if p.name == name), None)
    elif call.operation == "TagOpenIDConnectProvider":
        held = own.open_id_providers.get(given["OpenIDConnectProviderArn"])
    tags = getattr(held, "tags", None) or []
    return {(tag if isinstance(tag, str) else tag["Key"]).lower() for tag in tags}


def _check_groups(call: Call) -> None:
    user, group = call.parameters["UserName"], call.parameters["GroupName"]
    groups = iam(call.caller.account_id).groups.values()
    of_user = {g.name for g in groups if any(u.name == user for u in g.users)}
    if group not in of_user and len(of_user) >= _MOST_GROUPS:
        raise ServiceError(
            "LimitExceeded", f"Cannot exceed quota for GroupsPerUser: {_MOST_GROUPS}", 409
        )


def _conflicts(state: SandboxState, call: Call) -> Iterator[tuple[Any, str]]:
    """Yield what keeps a user or group from being deleted, if it is there, and its removal."""
    own, name = iam(call.caller.account_id), call.parameters.get("UserName", "")
    if call.operation == "DeleteUser" and (user := own.users.get(name)) is not None:
        yield user.password, "delete login profile"
        yield user.access_keys, "delete access keys"
        yield user.mfa_devices, "delete MFA device"
        yield user.managed_policies, "detach all policies"
        yield user.policies, "delete policies"
        in_group = any(u.name == name for group in own.groups.values() for u in group.users)
        yield in_group, "remove users from group"
        referenced = (
            user.ssh_public_keys
            or user.signing_certificates
            or has_any(state, call.caller.account_id, name)
        )
        yield referenced, "remove referenced objects"
    if call.operation == "DeleteGroup":
        group = own.groups.get(call.parameters["GroupName"])
        if group is not None:
            yield group.users, "remove users from group"
            yield group.managed_policies, "detach all policies"
            yield group.policies, "delete policies"
