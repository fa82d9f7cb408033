"""The deployment targets of StackSet operations: OUs, and which of their accounts.

Source: CloudFormation API Reference, DeploymentTargets; real error texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orchestrator.sandbox import deployment
from orchestrator.sandbox.stack_arguments import invalid
from orchestrator.sandbox.stacksets import StackSet
from orchestrator.sandbox.state import organizations


def check_targets(stack_set: StackSet, deployment_targets: dict[str, Any]) -> None:
    """Check that deployment targets are OUs of the organization.

    Raises:
        ServiceError: ValidationError.
    """
    ous, listed = (
        deployment_targets.get("OrganizationalUnitIds", []),
        deployment_targets.get("Accounts", []),
    )
    if not ous:
        raise invalid(
            "StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as"
            " target"
        )
    if listed and "AccountFilterType" not in deployment_targets:
        raise invalid("Accounts with OrganizationalUnitIds need an AccountFilterType")
    known = {ou.id for ou in organizations(stack_set.owner).ou}
    if unknown := sorted(set(ous) - known):
        raise invalid(f"OrganizationalUnitIds {unknown} do not exist")


def chosen_accounts(arguments: Mapping[str, Any]) -> list[str]:
    """Get the accounts that an operation on a self-managed stack set names.

    Raises:
        ServiceError: ValidationError, since it names none, or OUs.
    """
    targets = arguments.get("DeploymentTargets") or {}
    accounts: list[str] = arguments.get("Accounts") or targets.get("Accounts", [])
    if targets.get("OrganizationalUnitIds") or not accounts:
        raise invalid(
            "StackSets with SELF_MANAGED permission model can only have Accounts as target"
        )
    return accounts


def new_accounts(
    stack_set: StackSet, deployment_targets: dict[str, Any], regions: Iterable[str]
) -> dict[str, str]:
    """Get the accounts of new instances, with their OUs, which are deployed to automatically.

    Raises:
        ServiceError: ValidationError.
    """
    if deployment_targets.get("AccountFilterType") == "UNION":
        raise invalid("UNION is not supported for CreateStackInstances")
    check_targets(stack_set, deployment_targets)
    accounts: dict[str, str] = {}
    for ou in deployment_targets["OrganizationalUnitIds"]:
        for account_id in deployment.accounts_in(stack_set.owner, [ou]):
            if is_listed(deployment_targets, account_id):
                accounts.setdefault(account_id, ou)
    if deployment_targets.get("AccountFilterType") != "INTERSECTION":
        for ou in deployment_targets["OrganizationalUnitIds"]:
            stack_set.ous.setdefault(ou, set()).update(regions)
    return accounts


def is_listed(deployment_targets: dict[str, Any], account_id: str) -> bool:
    """Whether the filter of deployment targets includes an account of their OUs."""
    listed = account_id in deployment_targets.get("Accounts", [])
    kind = deployment_targets.get("AccountFilterType", "NONE")
    return {"INTERSECTION": listed, "DIFFERENCE": not listed}.get(kind, True)


def deployed_filter(
    stack_set: StackSet, deployment_targets: dict[str, Any]
) -> Callable[[str, str], bool]:
    """Return a predicate on account id and OU: whether the targets include the instance.

    The OUs are those that instances were deployed to, not those that their accounts are in.

    Raises:
        ServiceError: ValidationError, since an OU is no target of the stack set.
    """
    check_targets(stack_set, deployment_targets)
    ous = deployment_targets["OrganizationalUnitIds"]
    known = {*stack_set.ous, *(i.ou for i in stack_set.instances.values())}
    for unknown in [ou for ou in ous if ou not in known]:
        raise invalid(f"Organizational unit {unknown} not found in StackSet")
    union = deployment_targets.get("AccountFilterType") == "UNION"
    listed = set(deployment_targets.get("Accounts", [])) if union else set()
    return lambda account_id, ou: (
        account_id in listed or (ou in ous and is_listed(deployment_targets, account_id))
    )
