"""Organizations: delegated administrators, and policies of the organization.

Source: Organizations API Reference, RegisterDelegatedAdministrator and its siblings, AttachPolicy,
DetachPolicy, EnablePolicyType.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox.policy import as_list
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.organizations import check_caller, described, find_account
from orchestrator.sandbox.state import SandboxState, organizations
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"
_PRINCIPAL = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_CONTROL = {
    "SERVICE_CONTROL_POLICY": "p-FullAWSAccess",
    "RESOURCE_CONTROL_POLICY": "p-RCPFullAWSAccess",
}


def register(state: SandboxState, call: Call) -> dict[str, Any]:
    """RegisterDelegatedAdministrator: a member may act for the management account."""
    check_caller(state, call)
    account, principal = find_account(call), call.parameters["ServicePrincipal"]
    if not _PRINCIPAL.fullmatch(principal):
        raise ServiceError(
            "InvalidInputException", "You specified an unrecognized service principal."
        )
    if account.id == call.caller.account_id:
        raise ServiceError(
            "ConstraintViolationException",
            "You cannot register master account/yourself as delegated administrator for your"
            " organization.",
        )
    own = state.delegated.setdefault(account.id, {})
    if principal in own:
        raise ServiceError(
            "AccountAlreadyRegisteredException",
            "The provided account is already a delegated administrator for your organization.",
        )
    own[principal] = datetime.now(timezone.utc)
    return {}


def deregister(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeregisterDelegatedAdministrator."""
    check_caller(state, call)
    account_id = find_account(call).id
    own = state.delegated.get(account_id, {})
    if own.pop(call.parameters["ServicePrincipal"], None) is None:
        raise _not_registered()
    if not own:
        del state.delegated[account_id]
    return {}


def list_administrators(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListDelegatedAdministrators, of one service or of all."""
    check_caller(state, call)
    wanted = call.parameters.get("ServicePrincipal")
    listed = []
    for account in organizations(call.caller.account_id).accounts:
        services = state.delegated.get(account.id, {})
        if services and wanted in (None, *services):
            enabled = services[wanted] if wanted else min(services.values())
            listed.append({**described(state, call, account), "DelegationEnabledDate": enabled})
    return {"DelegatedAdministrators": listed}


def list_services(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListDelegatedServicesForAccount."""
    check_caller(state, call)
    services = state.delegated.get(find_account(call).id)
    if not services:
        raise _not_registered()
    return {
        "DelegatedServices": [
            {"ServicePrincipal": name, "DelegationEnabledDate": date}
            for name, date in services.items()
        ]
    }


def _not_registered() -> ServiceError:
    return ServiceError(
        "AccountNotRegisteredException",
        "The provided account is not a registered delegated administrator for your organization.",
    )


def check_policy(state: SandboxState, call: Call) -> Any:
    """CreatePolicy and UpdatePolicy: control policies must have the form of their type."""
    check_caller(state, call)
    content = call.parameters.get("Content")
    kind = call.parameters.get("Type") or next(
        (
            p.type
            for p in organizations(call.caller.account_id).policies
            if p.id == call.parameters.get("PolicyId")
        ),
        "",
    )
    if content is not None and kind in _CONTROL and not _is_formed(kind, content):
        raise ServiceError(
            "MalformedPolicyDocumentException",
            "The provided policy document does not meet the requirements of the specified policy"
            " type.",
        )
    return TO_MOTO


def _is_formed(kind: str, content: str) -> bool:
    try:
        statements = as_list(json.loads(content)["Statement"])
        of_resources = kind == "RESOURCE_CONTROL_POLICY"
        return all(
            {"Effect", "Resource" if "Resource" in s else "NotResource"} <= s.keys()
            and bool({"Action", "NotAction"} & s.keys())
            and ("Principal" in s) == of_resources
            and (not of_resources or (s["Principal"] == "*" and s["Effect"] == "Deny"))
            for s in statements
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def attach_policy(state: SandboxState, call: Call) -> Any:
    """AttachPolicy: only of a type that is enabled."""
    check_caller(state, call)
    own = organizations(call.caller.account_id)
    policy = next((p for p in own.policies if p.id == call.parameters["PolicyId"]), None)
    if policy is not None and not any(t["Type"] == policy.type for t in _root(own).policy_types):
        raise ServiceError(
            "PolicyTypeNotEnabledException",
            "This operation can be performed only for enabled policy types.",
        )
    return TO_MOTO


def detach_policy(state: SandboxState, call: Call) -> Any:
    """DetachPolicy: not the last one of a control policy's type."""
    check_caller(state, call)
    own, target = organizations(call.caller.account_id), call.parameters["TargetId"]
    policy = next((p for p in own.policies if p.id == call.parameters["PolicyId"]), None)
    holder = next((h for h in (*own.ou, *own.accounts) if h.id == target), None)
    if policy is None or holder is None or policy.type not in _CONTROL:
        return TO_MOTO
    if policy not in holder.attached_policies:
        raise ServiceError(
            "PolicyNotAttachedException", "The policy isn't attached to the specified target."
        )
    if sum(p.type == policy.type for p in holder.attached_policies) == 1:
        raise ServiceError(
            "ConstraintViolationException",
            "You cannot remove the last policy attached to the specified target. You must have at"
            " least one attached at all times.",
        )
    return TO_MOTO


def attach_defaults(_state: SandboxState, call: Call, _headers: Any) -> None:
    """Attach the policy that allows everything to each place that has none of its type."""
    own = organizations(call.caller.account_id)
    for kind, policy_id in _CONTROL.items():
        if any(enabled["Type"] == kind for enabled in _root(own).policy_types):
            default = next(p for p in own.policies if p.id == policy_id)
            for place in (*own.ou, *own.accounts):
                if not any(p.type == kind for p in place.attached_policies):
                    place.attached_policies.append(default)
                    default.attachments.append(place)


def _root(own: Any) -> Any:
    return next(ou for ou in own.ou if ou.type == "ROOT")


OPERATIONS: dict[str, Operation] = {
    "AttachPolicy": attach_policy,
    "CreatePolicy": check_policy,
    "DeregisterDelegatedAdministrator": deregister,
    "DetachPolicy": detach_policy,
    "ListDelegatedAdministrators": list_administrators,
    "ListDelegatedServicesForAccount": list_services,
    "RegisterDelegatedAdministrator": register,
    "UpdatePolicy": check_policy,
}
AFTER = dict.fromkeys(("EnablePolicyType", "CreateOrganizationalUnit"), attach_defaults)
