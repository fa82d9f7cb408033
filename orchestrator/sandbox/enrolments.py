"""Enrolments of accounts in a service of AWS: by themselves, or by their management account."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone

from orchestrator.sandbox import service_roles
from orchestrator.sandbox.services import Permission
from orchestrator.sandbox.state import (
    PARTITION,
    SandboxState,
    management_account,
    organizations,
    role,
)
from orchestrator.sandbox.wire import Call, ServiceError


@dataclass(frozen=True)
class Enrolment:
    """An account's enrolment; ``changed``: seconds since the epoch, 0 if it never was."""

    active: bool = False
    with_members: bool = False
    changed: float = 0.0


@dataclass
class Enrolments:
    """The enrolments in one service, by account id."""

    by_account: dict[str, Enrolment] = field(default_factory=dict)

    def of(self, account_id: str) -> Enrolment:
        """Get an account's enrolment."""
        return self.by_account.get(account_id, Enrolment())

    def update(self, call: Call) -> Enrolment:
        """Enrol the caller, and its members where UpdateEnrollmentStatus includes them.

        Raises:
            ServiceError: AccessDeniedException, which is not documented for a member.
        """
        own = call.caller.account_id
        with_members = bool(call.parameters.get("includeMemberAccounts"))
        if with_members and management_account(own) != own:
            raise ServiceError(
                "AccessDeniedException", "Only the management account can enroll member accounts."
            )
        changed = Enrolment(call.parameters["status"] == "Active", with_members, time.time())
        enrolled = visible_accounts(own) if with_members else [own]
        self.by_account.update(dict.fromkeys(enrolled, changed))
        if changed.active and _opens_organization(call):
            principal, now = service_roles.BY_ENROLMENT[call.service], datetime.now(timezone.utc)
            access = {"ServicePrincipal": principal, "DateEnabled": now}
            organizations(own).services.append(access)
        for account_id in enrolled if changed.active else ():
            service_roles.ensure(account_id, service_roles.BY_ENROLMENT[call.service])
        return changed

    def contents(self, service: str) -> Iterator[str]:
        """Describe the accounts that are enrolled."""
        enrolled = (id_ for id_, held in self.by_account.items() if held.active)
        yield from (f"{account_id} in {service}" for account_id in enrolled)


def permissions(_state: SandboxState, call: Call) -> Iterator[Permission]:
    """Yield the permissions to create the service's role and, with members, its access, if missing.

    Source of the latter: AWS Organizations User Guide, "AWS Compute Optimizer and AWS
    Organizations" and "Cost Optimization Hub and AWS Organizations": enrolling with members enables
    the service's trusted access.
    """
    if call.operation == "UpdateEnrollmentStatus" and call.parameters.get("status") == "Active":
        principal, own = service_roles.BY_ENROLMENT[call.service], call.caller.account_id
        name = service_roles.NAMES[principal]
        arn = f"arn:{PARTITION}:iam::{own}:role/aws-service-role/{principal}/{name}"
        if role(own, name) is None:
            context = {"iam:AWSServiceName": principal}
            yield Permission("iam:CreateServiceLinkedRole", arn, context)
        if _opens_organization(call):
            yield Permission(
                "organizations:EnableAWSServiceAccess",
                "*",
                {"organizations:ServicePrincipal": principal},
            )


def _opens_organization(call: Call) -> bool:
    """Whether a call enrols members, and the service has no access to the organization yet."""
    own, principal = call.caller.account_id, service_roles.BY_ENROLMENT[call.service]
    if not call.parameters.get("includeMemberAccounts") or management_account(own) != own:
        return False
    return all(held["ServicePrincipal"] != principal for held in organizations(own).services)


def enrolments_of(state: SandboxState, service: str) -> Enrolments:
    """Get a service's enrolments."""
    return state.of_service(service, Enrolments)


def visible_accounts(account_id: str) -> list[str]:
    """List the organization's accounts; a member, or an account without one, sees itself."""
    if management_account(account_id) != account_id:
        return [account_id]
    return [account_id, *(a.id for a in organizations(account_id).accounts if a.id != account_id)]
