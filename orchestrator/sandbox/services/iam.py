"""IAM: trust and inline policies, boundaries, and what becomes of deleted roles.

Source: IAM API Reference; IAM User Guide, "IAM and AWS STS quotas"; real error texts.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import unescape

from orchestrator.sandbox import identity_policy, principals
from orchestrator.sandbox.policy import parse_policy
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, iam, role
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"


def check_trust(state: SandboxState, call: Call) -> Any:
    """CreateRole and UpdateAssumeRolePolicy: trust policy, and boundary if one is given."""
    given = call.parameters
    if call.operation == "UpdateAssumeRolePolicy":
        _role(call)
    identity_policy.check_trust(
        state, given.get("AssumeRolePolicyDocument") or given.get("PolicyDocument") or ""
    )
    return check_boundary(state, call)


def get_role(_state: SandboxState, call: Call) -> Any:
    """GetRole: that there is none is said here, since moto takes long for an error."""
    _role(call)
    return TO_MOTO


def update_group(_state: SandboxState, call: Call) -> Any:
    """UpdateGroup: moto looks for the group only when it is renamed."""
    _, name, holder = holder_of(call)
    if holder is None:
        raise ServiceError("NoSuchEntity", f"The group with name {name} cannot be found.", 404)
    return TO_MOTO


def save_trust(state: SandboxState, account_id: str, name: str) -> None:
    """Change a role's trust policy to the form that AWS saves."""
    held = role(account_id, name)
    if held is None:
        return
    document = parse_policy(held.assume_role_policy_document)
    if principals.saved(state, document, ("role", account_id, name)):
        held.assume_role_policy_document = json.dumps(document)


def _trusted(state: SandboxState, call: Call, _headers: Any) -> None:
    save_trust(state, call.caller.account_id, call.parameters["RoleName"])


def check_boundary(_state: SandboxState, call: Call) -> Any:
    """PutRolePermissionsBoundary, CreateRole: the boundary must exist."""
    if arn := call.parameters.get("PermissionsBoundary"):
        identity_policy.check_boundary(call.caller.account_id, arn)
    return TO_MOTO


def put_inline(_state: SandboxState, call: Call) -> Any:
    """PutRolePolicy, PutUserPolicy, PutGroupPolicy."""
    kind, name, holder = holder_of(call)
    if holder is not None:
        given = call.parameters
        others = [t for n, t in holder.policies.items() if n != given["PolicyName"]]
        identity_policy.check_inline(kind, name, others, given["PolicyDocument"])
    return TO_MOTO


def note_id(_state: SandboxState, call: Call) -> Any:
    """DeleteRole and DeleteUser: remember the unique id, which policies show from now on."""
    _, _, holder = holder_of(call)
    call.notes["deleted"] = (holder.arn, holder.id) if holder is not None else ("", "")
    return TO_MOTO


def _deleted(state: SandboxState, call: Call, _headers: Any) -> None:
    principals.forget(state, *call.notes["deleted"])


def update_role(_state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateRole: a description that is not given stays (moto would remove it)."""
    held = _role(call)
    held.description = call.parameters.get("Description", held.description)
    # "If you do not specify a value for this setting, the default value of one hour is applied."
    held.max_session_duration = str(call.parameters.get("MaxSessionDuration", 3600))
    return {}


def remove_role(_state: SandboxState, call: Call) -> Any:
    """RemoveRoleFromInstanceProfile: moto fails if another role is in it."""
    held, name = _role(call), call.parameters["InstanceProfileName"]
    profiles = iam(call.caller.account_id).instance_profiles.values()
    if any(profile.name == name and held not in profile.roles for profile in profiles):
        text = f"The role with name {held.name} cannot be found."
        raise ServiceError("NoSuchEntity", text, 404)
    return TO_MOTO


def instance_profile_tags(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListInstanceProfileTags, which moto lacks."""
    name = call.parameters["InstanceProfileName"]
    profiles = iam(call.caller.account_id).instance_profiles.values()
    held = next((profile for profile in profiles if profile.name == name), None)
    if held is None:
        raise ServiceError("NoSuchEntity", f"Instance Profile {name} cannot be found.", 404)
    return {"Tags": held.tags, "IsTruncated": False}


def _role(call: Call) -> Any:
    name = call.parameters["RoleName"]
    held = role(call.caller.account_id, name)
    if held is None:
        raise ServiceError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    return held


def holder_of(call: Call) -> tuple[str, str, Any]:
    """Get the role, user or group that a call is about: kind, name and moto's object or None."""
    given, own = call.parameters, iam(call.caller.account_id)
    if name := given.get("RoleName"):
        return "role", name, role(call.caller.account_id, name)
    if name := given.get("UserName"):
        return "user", name, own.users.get(name)
    name = given.get("GroupName", "")
    return "group", name, own.groups.get(name)


def _encoded(match: re.Match[str]) -> str:
    text = match[2] if match[2].startswith("%7B") else quote(unescape(match[2]))
    return f"{match[1]}{text}{match[3]}"


OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(("CreateRole", "UpdateAssumeRolePolicy"), check_trust),
    **dict.fromkeys(("DeleteRole", "DeleteUser"), note_id),
    **dict.fromkeys(("GetRole", "ListInstanceProfilesForRole"), get_role),
    **dict.fromkeys(("PutRolePolicy", "PutUserPolicy", "PutGroupPolicy"), put_inline),
    "ListInstanceProfileTags": instance_profile_tags,
    "PutRolePermissionsBoundary": check_boundary,
    "RemoveRoleFromInstanceProfile": remove_role,
    "UpdateGroup": update_group,
    "UpdateRole": update_role,
}
AFTER = {
    **dict.fromkeys(("CreateRole", "UpdateAssumeRolePolicy"), _trusted),
    **dict.fromkeys(("DeleteRole", "DeleteUser"), _deleted),
}
_NAME = r"([\w+=,.@-]+)"
TEXTS = (
    ("*", r"<message>.*?</message>(?=</Error>)", ""),  # of moto's serializer, beside the Message
    ("CreateRole", r"<MaxSessionDuration>\d+</MaxSessionDuration>|<RoleLastUsed ?/>", ""),
    ("CreateRole", r"<RoleLastUsed>.*?</RoleLastUsed>", ""),
    ("ListRoles", r"(<AssumeRolePolicyDocument>)(.*?)(</AssumeRolePolicyDocument>)", _encoded),
    ("*", rf"<Message>Role {_NAME} not found", r"<Message>The role with name \1 cannot be found."),
    ("*", rf"<Message>User {_NAME} not found", r"<Message>The user with name \1 cannot be found."),
    (
        "*",
        rf"<Message>Group {_NAME} not found",
        r"<Message>The group with name \1 cannot be found.",
    ),
    (
        "*",
        rf"<Message>Policy Document {_NAME} not attached to (role|user|group) {_NAME}",
        r"<Message>The \2 policy with name \1 cannot be found.",
    ),
    *(
        (
            f"{verb}{kind}Policy",
            rf"<Message>Policy {_NAME} not found",
            rf"<Message>The {kind.lower()} policy with name \1 cannot be found.",
        )
        for verb in ("Get", "Delete")
        for kind in ("User", "Group")
    ),
    ("*", r"(<Message>The Access Key with id \w+ cannot be found)(?=<)", r"\1."),
    ("CreatePolicyVersion", r"<Document>.*?</Document>", ""),
    ("ListPolicyVersions", r"<Document>.*?</Document>", ""),
    ("*", r"(<PermissionsBoundaryType>)PermissionsBoundaryPolicy", r"\1Policy"),
    *(
        (
            operation,
            rf"<{member}(?: ?/>|>(?:(?!<{member}>).)*?</{member}>)(?=(?:(?!<Roles>).)*</Roles>)",
            "",
        )
        for operation in (
            "GetInstanceProfile",
            "ListInstanceProfiles",
            "ListInstanceProfilesForRole",
        )
        for member in ("MaxSessionDuration", "PermissionsBoundary", "RoleLastUsed", "Tags")
    ),
    ("*", r"<Message>Policy (arn:[^\s<]+) not found(?=<)", r"<Message>Policy \1 was not found."),
    (
        "*",
        rf"<Message>Instance profile {_NAME} not found",
        r"<Message>Instance Profile \1 cannot be found.",
    ),
    (
        "*",
        rf"<Message>Login profile for {_NAME} not found",
        r"<Message>Login Profile for User \1 cannot be found.",
    ),
)
