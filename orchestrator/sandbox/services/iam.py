"""IAM: trust policy validation, UpdateRole and policy simulation; the rest is moto's.

Source: IAM API Reference, CreateRole, UpdateRole, UpdateAssumeRolePolicy,
SimulatePrincipalPolicy.
"""

from __future__ import annotations

import re
from typing import Any

from orchestrator.sandbox.policy import AccessRequest, as_list, decide, parse_policy
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, iam, identity_policies, role
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
_ACCOUNT = re.compile(r"\d{12}|arn:aws[\w-]*:iam::\d{12}:root")
_IDENTITY = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):(role|user)/(?:.*/)?([\w+=,.@-]+)")
_SESSION = re.compile(r"arn:aws[\w-]*:sts::\d{12}:(assumed-role|federated-user)/.+")
_SERVICE_NAME = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_SOURCE = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):(role|user)/(?:.*/)?([\w+=,.@-]+)")


def check_trust(state: SandboxState, call: Call) -> Any:
    """CreateRole and UpdateAssumeRolePolicy: every principal must exist."""
    text = call.parameters.get("AssumeRolePolicyDocument") or call.parameters.get("PolicyDocument")
    try:
        document = parse_policy(text or "")
    except ValueError:
        raise ServiceError("MalformedPolicyDocument", "This policy contains invalid Json") from None
    for statement in as_list(document["Statement"]):
        if "Resource" in statement:
            raise ServiceError("MalformedPolicyDocument", "Has prohibited field Resource")
        principal = statement.get("Principal")
        if principal is None:
            raise ServiceError("MalformedPolicyDocument", "Missing required field Principal")
        if principal == "*":
            continue
        for kind, names in principal.items():
            for name in as_list(names):
                if not _principal_exists(state, kind, str(name)):
                    raise ServiceError(
                        "MalformedPolicyDocument", f'Invalid principal in policy: "{kind}":"{name}"'
                    )
    return TO_MOTO


def _principal_exists(state: SandboxState, kind: str, name: str) -> bool:
    if kind == "Service":
        return bool(_SERVICE_NAME.fullmatch(name))
    if kind != "AWS":
        return True
    if name == "*" or _ACCOUNT.fullmatch(name) or _SESSION.fullmatch(name):
        return True
    identity = _IDENTITY.fullmatch(name)
    if not identity:
        return False
    account_id, of_kind, own_name = identity.groups()
    if account_id not in state.accounts.values():
        return True  # in an account outside the sandbox, which cannot be checked
    if of_kind == "role":
        return role(account_id, own_name) is not None
    return own_name in iam(account_id).users


def update_role(_state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateRole: a description that is not given stays (moto would remove it)."""
    name = call.parameters["RoleName"]
    held = role(call.caller.account_id, name)
    if held is None:
        raise ServiceError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    held.description = call.parameters.get("Description", held.description)
    # "If you do not specify a value for this setting, the default value of one hour is applied."
    held.max_session_duration = str(call.parameters.get("MaxSessionDuration", 3600))
    return {}


def simulate(_state: SandboxState, call: Call) -> dict[str, Any]:
    """SimulatePrincipalPolicy: every action on every resource, with the boundary."""
    source = _SOURCE.fullmatch(call.parameters["PolicySourceArn"])
    if not source:
        raise ServiceError(
            "InvalidInput", "Invalid Entity Arn: " + call.parameters["PolicySourceArn"]
        )
    account_id, kind, name = source.groups()
    holder = role(account_id, name) if kind == "role" else iam(account_id).users.get(name)
    if account_id != call.caller.account_id or holder is None:
        raise ServiceError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)
    policies, boundary = identity_policies(account_id, kind, name)
    context = {
        entry["ContextKeyName"]: str(value)
        for entry in call.parameters.get("ContextEntries", [])
        for value in entry["ContextKeyValues"][:1]
    }
    results = []
    for action in call.parameters["ActionNames"]:
        for resource in call.parameters.get("ResourceArns") or ["*"]:
            request = AccessRequest(action, resource, context)
            decision = decide(policies, request)
            result: dict[str, Any] = {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            if boundary:
                by_boundary = decide(boundary, request)
                result["PermissionsBoundaryDecisionDetail"] = {
                    "AllowedByPermissionsBoundary": by_boundary == "allowed"
                }
                if decision == "allowed":
                    decision = by_boundary
            results.append({**result, "EvalDecision": decision})
    return _page(results, call)


def _page(results: list[dict[str, Any]], call: Call) -> dict[str, Any]:
    size = int(call.parameters.get("MaxItems") or 100)
    start = int(call.parameters.get("Marker") or 0)
    page: dict[str, Any] = {
        "EvaluationResults": results[start : start + size],
        "IsTruncated": start + size < len(results),
    }
    if page["IsTruncated"]:
        page["Marker"] = str(start + size)
    return page


OPERATIONS: dict[str, Operation] = {
    "CreateRole": check_trust,
    "UpdateAssumeRolePolicy": check_trust,
    "SimulatePrincipalPolicy": simulate,
    "UpdateRole": update_role,
}
