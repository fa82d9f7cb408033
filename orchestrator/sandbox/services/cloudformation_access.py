"""CloudFormation: trusted access to the organization, and who acts for it.

Source: CloudFormation User Guide, "Activate trusted access for StackSets", "Register a delegated
administrator".
"""

from __future__ import annotations

from typing import Any

from moto.organizations.models import organizations_backends

from orchestrator.sandbox.service_roles import NAMES, PATH, ensure
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.stack_arguments import invalid
from orchestrator.sandbox.state import SandboxState, organizations
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "cloudformation"
PRINCIPAL = "member.org.stacksets.cloudformation.amazonaws.com"
_SERVICE = "stacksets.cloudformation.amazonaws.com"
LINKED_ROLE = NAMES[_SERVICE]
LINKED_ROLE_PATH = f"{PATH}{_SERVICE}/"


def activate(state: SandboxState, call: Call) -> dict[str, Any]:
    """ActivateOrganizationsAccess: the organization must have all features enabled."""
    require_management(call)
    if organizations(call.caller.account_id).org.feature_set != "ALL":
        raise ServiceError("InvalidOperation", "The organization must have all features enabled.")
    owner = call.caller.account_id
    state.stackset_access.add(owner)
    own = organizations(owner)
    if not any(s["ServicePrincipal"] == PRINCIPAL for s in own.services):
        own.enable_aws_service_access(ServicePrincipal=PRINCIPAL)
    ensure(owner, _SERVICE)
    return {}


def deactivate(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeactivateOrganizationsAccess."""
    require_management(call)
    state.stackset_access.discard(call.caller.account_id)
    own = organizations(call.caller.account_id)
    own.services[:] = [s for s in own.services if s["ServicePrincipal"] != PRINCIPAL]
    return {}


def describe_access(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeOrganizationsAccess: also by a delegated administrator."""
    owner = owner_of(state, call)
    if owner == call.caller.account_id:
        require_management(call)
    return {"Status": "ENABLED" if owner in state.stackset_access else "DISABLED"}


def require_management(call: Call) -> None:
    """Refuse every account but an organization's management account.

    Raises:
        ServiceError: ValidationError.
    """
    if organizations(call.caller.account_id).org is None:
        raise invalid(
            "You must be the management account or delegated admin account of an organization"
            " before operating a SERVICE_MANAGED stack set"
        )


def owner_of(state: SandboxState, call: Call) -> str:
    """Get the account whose stack sets a call is about: for a delegated one, the management's.

    Raises:
        ServiceError: ValidationError, since the account is no delegated administrator.
    """
    account_id = call.caller.account_id
    if call.parameters.get("CallAs") != "DELEGATED_ADMIN":
        return account_id
    if PRINCIPAL not in state.delegated.get(account_id, {}):
        raise invalid("Account used is not a delegated administrator")
    return str(organizations_backends.master_accounts[account_id][0])


OPERATIONS: dict[str, Operation] = {
    "ActivateOrganizationsAccess": activate,
    "DeactivateOrganizationsAccess": deactivate,
    "DescribeOrganizationsAccess": describe_access,
}
