"""Read what an account has for Octo: roles, reports, buckets and StackSets, by name and trust."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.aws import cloudformation, cur, iam, organizations, s3
from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.aws.session import Aws
from orchestrator.detection import stack_sets as payer_stack_sets
from orchestrator.model.account import Account
from orchestrator.model.module_contract.addresses import ROLES
from orchestrator.model.module_contract.octo_names import (
    OTHER_ROLES,
    PRINCIPAL,
    STACKSET,
    cur_bucket,
)
from orchestrator.model.observed import Bucket, OwningStack, Role
from orchestrator.model.organization import Organization
from orchestrator.model.partition import as_registered
from orchestrator.model.stackset import StackSet


@dataclass(frozen=True)
class Inventory:
    """What an account has for Octo.

    Attributes:
        roles: by name; those that trust Octo's account, and the published module's.
        reports: report definitions (CUR API), by name.
        buckets: the reports' buckets that belong to the account, and octo-tf's own, by name.
        stack_sets: those that deploy Octo's role, or are named as the published module's.
        owners: the stack that owns a resource, by kind and name, like ``bucket acme-billing``.
        organization: its members; None without a StackSet, or if access is denied.
        stack_search: where the stacks that own roles were looked for, in words; empty without a
            role.
    """

    account: Account
    roles: Mapping[str, Role]
    reports: Mapping[str, Mapping[str, Any]]
    buckets: Mapping[str, Bucket]
    stack_sets: Mapping[str, StackSet]
    owners: Mapping[str, OwningStack] = field(default_factory=dict)
    organization: Organization | None = None
    stack_search: str = ""


def read_inventory(aws: Aws, account: Account, *, names: Collection[str] = ()) -> Inventory:
    """Read what the account has for Octo.

    Args:
        names: buckets and StackSets to read besides those that are found by their reports and
            templates.
    """
    trusting = set(iam.roles_that_trust(aws, PRINCIPAL))
    roles = {
        name: role
        for name in sorted(trusting | {*ROLES.values(), *OTHER_ROLES})
        if (role := iam.describe_role(aws, name)) is not None
    }
    reports: dict[str, Mapping[str, Any]] = {}
    buckets: dict[str, Bucket] = {}
    if as_registered(account).account_type != "linked":
        reports = {r["ReportName"]: r for r in cur.list_reports(aws)}
        kept = cur_bucket(account.account_id)  # it outlives its report
        wanted = {str(r["S3Bucket"]) for r in reports.values()} | {kept, *names}
        buckets = {
            name: bucket
            for name in sorted(wanted)
            if (bucket := s3.describe_bucket(aws, name, account.account_id)) is not None
        }
    stack_sets = _stack_sets(aws, names) if account.account_type == "payer" else {}
    # A role's stack can be in any region, a bucket's or a StackSet's only in its own.
    own_regions = {"us-east-1", *(b.region for b in buckets.values())}
    of_roles = cloudformation.owning_stacks(aws, roles)
    ids = {
        **{f"role {n}": n for n in roles},
        **{f"bucket {n}": n for n in buckets},
        **{f"report {n}": n for n in reports},
        **{f"StackSet {n}": s.stack_set_id for n, s in stack_sets.items()},
    }
    others = {*ids.values()} - {*roles}
    stacks = {**cloudformation.owning_stacks(aws, others, own_regions).stacks, **of_roles.stacks}
    owners = {resource: stacks[one] for resource, one in ids.items() if one in stacks}
    members = _organization(aws) if stack_sets else None
    return Inventory(
        account, roles, reports, buckets, stack_sets, owners, members, of_roles.searched
    )


def _organization(aws: Aws) -> Organization | None:
    try:
        return organizations.read(aws)
    except ServiceError as error:
        if is_denied(error):
            return None
        raise


def _stack_sets(aws: Aws, names: Collection[str]) -> dict[str, StackSet]:
    try:
        known = cloudformation.list_stack_set_names(aws)
    except ServiceError as error:
        if is_denied(error):  # CloudFormation's part is optional
            return {}
        raise
    wanted = [
        n
        for n in known
        if n == STACKSET or n in names or payer_stack_sets.creates_octo_role(aws, n)
    ]
    return {n: found for n in wanted if (found := payer_stack_sets.describe(aws, n)) is not None}
