"""Organizations: the organization itself, trusted access of services, delegated administrators.

Sources: Organizations API Reference; "AWS services that you can use with AWS Organizations"; its
users, who quote what AWS says without trusted access.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from moto.organizations.models import FakeServiceAccess

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.organizations import (
    check_all_features,
    check_caller,
    described,
    find_account,
    invalid,
    organization_of,
    page,
    resource_policies,
    violates,
)
from orchestrator.sandbox.services.organizations_policy_types import attach_defaults
from orchestrator.sandbox.services.organizations_tags import check_tags
from orchestrator.sandbox.state import SandboxState, organizations
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"
# What moto's list of services with trusted access lacks.
_TRUSTED = {
    *("agentless.inspector2.amazonaws.com", "bcm-data-exports.amazonaws.com"),
    *("cost-optimization-hub.bcm.amazonaws.com", "ec2.amazonaws.com", "iam.amazonaws.com"),
    *("license-manager.member-account.amazonaws.com", "notifications.amazonaws.com"),
    *("malware-protection.guardduty.amazonaws.com", "observabilityadmin.amazonaws.com"),
    *("opsdatasync.ssm.amazonaws.com", "resource-explorer-2.amazonaws.com"),
    *("securityhubv2.amazonaws.com", "storage-lens.s3.amazonaws.com", "support.amazonaws.com"),
    *FakeServiceAccess.TRUSTED_SERVICES,
}
# How many delegated administrators a service may have, by its own user guide.
_MOST_ADMINISTRATORS = {
    "compute-optimizer.amazonaws.com": 1,
    "cost-optimization-hub.bcm.amazonaws.com": 1,
    "member.org.stacksets.cloudformation.amazonaws.com": 5,
    "sso.amazonaws.com": 1,
}


def enable_access(state: SandboxState, call: Call) -> dict[str, Any]:
    """EnableAWSServiceAccess: once more is no error."""
    own, principal = organization_of(state, call), _principal(call)
    check_all_features(own)
    if not any(held["ServicePrincipal"] == principal for held in own.services):
        enabled = {"ServicePrincipal": principal, "DateEnabled": datetime.now(timezone.utc)}
        own.services.append(enabled)
    return {}


def disable_access(state: SandboxState, call: Call) -> dict[str, Any]:
    """DisableAWSServiceAccess: of a service that has none is no error."""
    own, principal = organization_of(state, call), _principal(call)
    own.services[:] = [held for held in own.services if held["ServicePrincipal"] != principal]
    return {}


def list_access(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListAWSServiceAccessForOrganization."""
    return page(call, "EnabledServicePrincipals", organization_of(state, call).services)


def _principal(call: Call) -> str:
    principal: str = call.parameters["ServicePrincipal"]
    if principal not in _TRUSTED:
        text = "You specified an unrecognized service principal."
        raise invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", text)
    return principal


def register(state: SandboxState, call: Call) -> dict[str, Any]:
    """RegisterDelegatedAdministrator: a member may act for the management account."""
    own = organization_of(state, call)
    account, principal = find_account(call), _principal(call)
    if account.id == call.caller.account_id:
        raise violates(
            "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
            "You cannot register master account/yourself as delegated administrator for your"
            " organization.",
        )
    if account.state != "ACTIVE":
        raise violates(
            "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
            "You cannot register a suspended account as a delegated administrator.",
        )
    if not any(held["ServicePrincipal"] == principal for held in own.services):
        raise violates(
            "SERVICE_ACCESS_NOT_ENABLED",
            "You must enable service access before you delegate an administrator for this service."
            " Call the AWS API EnableAWSServiceAccess first.",
        )
    if principal in state.delegated.get(account.id, {}):
        raise ServiceError(
            "AccountAlreadyRegisteredException",
            "The provided account is already a delegated administrator for your organization.",
        )
    _check_number(own, state, principal)
    held = state.delegated.setdefault(account.id, {})
    held[principal] = datetime.now(timezone.utc)
    return {}


def _check_number(own: Any, state: SandboxState, principal: str) -> None:
    registered = [a for a in own.accounts if principal in state.delegated.get(a.id, {})]
    most = _MOST_ADMINISTRATORS.get(principal)
    if most == 1 and registered:
        raise violates(
            "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
            "You attempted to register an AWS account as a delegated administrator for an AWS"
            " service that already has a delegated administrator. To complete this operation, you"
            " must first deregister any existing delegated administrators for this service.",
        )
    if most and len(registered) >= most:
        raise violates(
            "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
            "You attempted to register more delegated administrators than allowed for the service"
            " principal.",
        )


def deregister(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeregisterDelegatedAdministrator."""
    check_caller(state, call)
    account_id, principal = find_account(call).id, _principal(call)
    held = state.delegated.get(account_id, {})
    if held.pop(principal, None) is None:
        raise _not_registered()
    if not held:
        del state.delegated[account_id]
    return {}


def list_administrators(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListDelegatedAdministrators, of one service or of all."""
    own = organization_of(state, call)
    wanted = _principal(call) if "ServicePrincipal" in call.parameters else None
    listed = []
    for account in own.accounts:
        services = state.delegated.get(account.id, {})
        if services and wanted in (None, *services):
            enabled = services[wanted] if wanted else min(services.values())
            listed.append({**described(state, call, account), "DelegationEnabledDate": enabled})
    return page(call, "DelegatedAdministrators", listed)


def list_services(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListDelegatedServicesForAccount."""
    check_caller(state, call)
    services = state.delegated.get(find_account(call).id)
    if not services:
        raise _not_registered()
    listed = [
        {"ServicePrincipal": name, "DelegationEnabledDate": date} for name, date in services.items()
    ]
    return page(call, "DelegatedServices", listed)


def _not_registered() -> ServiceError:
    return ServiceError(
        "AccountNotRegisteredException",
        "The provided account is not a registered delegated administrator for your organization.",
    )


def enable_features(state: SandboxState, call: Call) -> dict[str, Any]:
    """EnableAllFeatures: at once, if the organization has not all of them yet."""
    own = organization_of(state, call)
    if own.org.feature_set == "ALL":
        raise ServiceError(
            "HandshakeConstraintViolationException",
            "All features are already enabled on this organization.",
            Reason="ORGANIZATION_ALREADY_HAS_ALL_FEATURES",
        )
    own.org.feature_set = "ALL"
    number, now = f"h-{uuid.uuid4().hex}", datetime.now(timezone.utc)
    arn = f"arn:aws:organizations::{own.org.master_account_id}:handshake/{own.org.id}"
    handshake = {
        "Id": number,
        "Arn": f"{arn}/enable_all_features/{number}",
        "Parties": [{"Id": own.org.id.removeprefix("o-"), "Type": "ORGANIZATION"}],
        "State": "ACCEPTED",
        "RequestedTimestamp": now,
        "ExpirationTimestamp": now + timedelta(days=90),
        "Action": "ENABLE_ALL_FEATURES",
        "Resources": [{"Type": "ORGANIZATION", "Value": own.org.id}],
    }
    return {"Handshake": handshake}


def enable_control(_state: SandboxState, call: Call, _headers: Any) -> None:
    """CreateOrganization: with all features, service control policies are enabled."""
    own = organizations(call.caller.account_id)
    if own.org.feature_set == "ALL":
        own.ou[0].policy_types.append({"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"})
        attach_defaults(own)


def put_policy(state: SandboxState, call: Call) -> dict[str, Any]:
    """PutResourcePolicy: what members may do for the management account."""
    own = organization_of(state, call)
    check_tags(call.parameters.get("Tags", []))
    content = call.parameters["Content"]
    try:
        json.loads(content)["Statement"]
    except (ValueError, TypeError, KeyError):
        text = "You provided invalid JSON in the resource policy."
        raise invalid("INVALID_RESOURCE_POLICY_JSON", text) from None
    policy_id = f"rp-{own.org.id.removeprefix('o-')}"
    arn = f"arn:aws:organizations::{own.org.master_account_id}:resourcepolicy/{own.org.id}"
    summary = {"Id": policy_id, "Arn": f"{arn}/{policy_id}"}
    kept = {"ResourcePolicySummary": summary, "Content": content}
    resource_policies(state)[own.org.id] = kept
    return {"ResourcePolicy": kept}


def describe_policy(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeResourcePolicy."""
    found = resource_policies(state).get(organization_of(state, call).org.id)
    if found is None:
        raise _no_resource_policy()
    return {"ResourcePolicy": found}


def delete_policy(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteResourcePolicy."""
    if resource_policies(state).pop(organization_of(state, call).org.id, None) is None:
        raise _no_resource_policy()
    return {}


def _no_resource_policy() -> ServiceError:
    text = "We can't find a resource policy request with the parameter that you specified."
    return ServiceError("ResourcePolicyNotFoundException", text)


def contents(state: SandboxState) -> Iterator[str]:
    """Describe the resource policies."""
    yield from (f"resource policy of {owner}" for owner in resource_policies(state))


OPERATIONS: dict[str, Operation] = {
    "DeleteResourcePolicy": delete_policy,
    "DeregisterDelegatedAdministrator": deregister,
    "DescribeResourcePolicy": describe_policy,
    "DisableAWSServiceAccess": disable_access,
    "EnableAWSServiceAccess": enable_access,
    "EnableAllFeatures": enable_features,
    "ListAWSServiceAccessForOrganization": list_access,
    "ListDelegatedAdministrators": list_administrators,
    "ListDelegatedServicesForAccount": list_services,
    "PutResourcePolicy": put_policy,
    "RegisterDelegatedAdministrator": register,
}
TEXTS = (
    # Without all features no type of policies is available.
    ("*", r'(CONSOLIDATED_BILLING"[^]]*"AvailablePolicyTypes": )\[[^]]*\]', r"\1[]"),
)
AFTER = {"CreateOrganization": enable_control}
