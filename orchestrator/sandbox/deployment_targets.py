"""The deployment targets of StackSet operations: OUs, and which of their accounts.

Source: CloudFormation API Reference, DeploymentTargets; real error texts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
