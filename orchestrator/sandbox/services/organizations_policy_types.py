"""Organizations: enable and disable policy types; describe a target's effective policy.

Sources: Organizations API Reference, EnablePolicyType, DisablePolicyType, DescribeEffectivePolicy;
Organizations User Guide, "Understanding management policy inheritance".
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox import lookup
from orchestrator.sandbox.request_context import organization_path
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.organizations import (
    find_account,
    find_place,
    organization_of,
)
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"
CONTROL = {
    "SERVICE_CONTROL_POLICY": "p-FullAWSAccess",
    "RESOURCE_CONTROL_POLICY": "p-RCPFullAWSAccess",
}


def enable_type(state: SandboxState, call: Call) -> dict[str, Any]:
    """EnablePolicyType: of control policies, the one that allows everything is attached."""
    own, kind = organization_of(state, call), call.parameters["PolicyType"]
    root = find_place(own, call.parameters["RootId"], "RootNotFoundException")
    check_available(own)
    if any(enabled["Type"] == kind for enabled in root.policy_types):
        raise ServiceError(
            "PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled."
        )
    root.policy_types.append({"Type": kind, "Status": "ENABLED"})
    attach_defaults(own)
    return {"Root": root.describe()}


def disable_type(state: SandboxState, call: Call) -> dict[str, Any]:
    """DisablePolicyType: its policies are detached from everything."""
    own, kind = organization_of(state, call), call.parameters["PolicyType"]
    root = find_place(own, call.parameters["RootId"], "RootNotFoundException")
    check_enabled(own, kind)
    root.policy_types[:] = [enabled for enabled in root.policy_types if enabled["Type"] != kind]
    for policy in own.policies:
        if policy.type == kind:
            for target in policy.attachments:
                target.attached_policies.remove(policy)
            policy.attachments.clear()
    return {"Root": root.describe()}


def effective(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeEffectivePolicy: the policies from the root to the target, merged."""
    own, kind = organization_of(state, call), call.parameters["PolicyType"]
    target = find_target(own, call.parameters.get("TargetId", call.caller.account_id))
    content = _merged(own, kind, target)
    return {
        "EffectivePolicy": {
            "PolicyContent": json.dumps(content),
            "LastUpdatedTimestamp": datetime.now(timezone.utc),
            "TargetId": target.id,
            "PolicyType": kind,
        }
    }


def _merged(own: Any, kind: str, target: Any) -> dict[str, Any]:
    place, levels = target, list[list[Any]]()
    while place is not None:
        levels.insert(0, [p for p in place.attached_policies if p.type == kind])
        place = next((ou for ou in own.ou if ou.id == place.parent_id), None)
    found: dict[str, Any] = {}
    for policy in (policy for level in levels for policy in level):
        _merge(found, json.loads(policy.content))
    if not found:
        raise ServiceError(
            "EffectivePolicyNotFoundException",
            "If you ran this action on the management account, this policy type is not enabled. If"
            " you ran the action on a member account, the account doesn't have an effective policy"
            " of this type. Contact the administrator of your organization about attaching a policy"
            " of this type to the account.",
        )
    return found


def _merge(parent: dict[str, Any], child: dict[str, Any]) -> None:
    """Apply a policy to what its parents say, by the operators ``@@assign`` and its siblings."""
    for name, value in child.items():
        if not isinstance(value, dict):
            if not name.startswith("@@"):
                parent[name] = value
            continue
        if "@@assign" in value:
            parent[name] = value["@@assign"]
        elif isinstance(held := parent.get(name, []), list) and {"@@append", "@@remove"} & {*value}:
            added = [entry for entry in value.get("@@append", []) if entry not in held]
            gone = value.get("@@remove", [])
            parent[name] = [entry for entry in (*held, *added) if entry not in gone]
        else:
            _merge(parent.setdefault(name, {}), value)


def list_invalid(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListAccountsWithInvalidEffectivePolicy: none, since policies that are no JSON are refused."""
    organization_of(state, call)
    return {"Accounts": [], "PolicyType": call.parameters["PolicyType"]}


def list_errors(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListEffectivePolicyValidationErrors: none."""
    own, kind = organization_of(state, call), call.parameters["PolicyType"]
    account = find_account(call)
    _merged(own, kind, account)
    return {
        "AccountId": account.id,
        "PolicyType": kind,
        "Path": f"{organization_path(own, account.id)}{account.id}/",
        "EvaluationTimestamp": datetime.now(timezone.utc),
        "EffectivePolicyValidationErrors": [],
    }


def attach_defaults(own: Any) -> None:
    """Attach the policy that allows everything to each place that has none of its type."""
    root = next(ou for ou in own.ou if ou.type == "ROOT")
    for kind, policy_id in CONTROL.items():
        if any(enabled["Type"] == kind for enabled in root.policy_types):
            for place in (*own.ou, *own.accounts):
                if not any(p.type == kind for p in place.attached_policies):
                    attach_to(find_policy(own, policy_id), place)


def attach_to(policy: Any, target: Any) -> None:
    """Attach a policy to the root, an OU or an account."""
    target.attached_policies.append(policy)
    policy.attachments.append(target)


def check_available(own: Any) -> None:
    """Refuse policies in an organization that only consolidates its bills.

    Raises:
        ServiceError: PolicyTypeNotAvailableForOrganizationException.
    """
    if own.org.feature_set != "ALL":
        raise ServiceError(
            "PolicyTypeNotAvailableForOrganizationException",
            "You can't use the specified policy type with the feature set currently enabled for"
            " this organization. For example, you can enable SCPs only after you enable all"
            " features in the organization.",
        )


def check_enabled(own: Any, kind: str) -> None:
    """Refuse a type of policies that is not enabled.

    Raises:
        ServiceError: PolicyTypeNotEnabledException.
    """
    root = next(ou for ou in own.ou if ou.type == "ROOT")
    if not any(enabled["Type"] == kind for enabled in root.policy_types):
        text = "This operation can be performed only for enabled policy types."
        raise ServiceError("PolicyTypeNotEnabledException", text)


def find_policy(own: Any, policy_id: str) -> Any:
    """Get a policy by its id.

    Raises:
        ServiceError: PolicyNotFoundException.
    """
    found = next((policy for policy in own.policies if policy.id == policy_id), None)
    if found is None:
        text = "You specified a policy that doesn't exist."
        raise ServiceError("PolicyNotFoundException", text)
    return found


def find_target(own: Any, target_id: str) -> Any:
    """Get the root, an OU or an account by its id.

    Raises:
        ServiceError: TargetNotFoundException.
    """
    found = lookup.member(own, target_id) or next((u for u in own.ou if u.id == target_id), None)
    if found is None:
        text = "You specified a target that doesn't exist."
        raise ServiceError("TargetNotFoundException", text)
    return found


OPERATIONS: dict[str, Operation] = {
    "DescribeEffectivePolicy": effective,
    "DisablePolicyType": disable_type,
    "EnablePolicyType": enable_type,
    "ListAccountsWithInvalidEffectivePolicy": list_invalid,
    "ListEffectivePolicyValidationErrors": list_errors,
}
