"""Organizations: who may ask what; the answers are moto's.

Source: Organizations API Reference: most operations are for the management account only,
DescribeOrganization is for every account of the organization.
"""

from __future__ import annotations

from typing import Any

from moto.core.utils import get_service_model
from moto.organizations.models import organizations_backends

from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.wire import Call, Fault
from orchestrator.sandbox.world import World, organizations

SERVICE = "organizations"
_ANYBODY = {"CreateOrganization"}
_MEMBERS = {"DescribeOrganization"}


def admit(_world: World, call: Call) -> Any:
    """Refuses accounts outside an organization, and members what only management may ask."""
    if call.operation in _ANYBODY:
        return TO_MOTO
    account_id = call.caller.account_id
    is_management = organizations(account_id).org is not None
    is_member = account_id in organizations_backends.master_accounts
    if not is_management and not is_member:
        raise Fault(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        )
    if not is_management and call.operation not in _MEMBERS:
        raise Fault(
            "AccessDeniedException",
            "You don't have permissions to access this resource.",
        )
    return TO_MOTO


OPERATIONS: dict[str, Operation] = dict.fromkeys(get_service_model(SERVICE).operation_names, admit)
