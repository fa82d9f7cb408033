"""What an account has that Octo stands on, or once stood on: found by name and by shape."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.aws import cloudformation, cur, iam, organizations, s3
from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.aws.session import Aws
from orchestrator.detection import stack_sets as payer_stack_sets
from orchestrator.detection.compare import ROLES
from orchestrator.model.account import Account
from orchestrator.model.observed import Bucket, ObservedStackSet, Role
from orchestrator.model.organization import Organization
from orchestrator.model.resource_names import PRINCIPAL, STACKSET

# The published module's other roles. They are not carried over.
OTHER_ROLES = (
    "OctoSSMUpdaterRole",
    "OctoChangeExecutorRole",
    "OctoChangeTemplateApproverRole",
    "CloudSaver-Role",
)


@dataclass(frozen=True)
class Inventory:
    """What was found in an account.

    Attributes:
        account: whose it is.
        roles: by name.
        reports: report definitions, by name.
        buckets: the reports' buckets that are the account's own, by name.
        stack_sets: those that deploy Octo's role, or are named as the published module's.
        owners: the CloudFormation stack that has a thing, by the thing's name in words.
        organization: who belongs to it; None where there is no StackSet, or it may not be read.
    """

    account: Account
    roles: Mapping[str, Role]
    reports: Mapping[str, Mapping[str, Any]]
    buckets: Mapping[str, Bucket]
    stack_sets: Mapping[str, ObservedStackSet]
    owners: Mapping[str, str] = field(default_factory=dict)
    organization: Organization | None = None


def take(aws: Aws, account: Account, *, names: Collection[str] = ()) -> Inventory:
    """Looks at the account; it only reads.

    Args:
        aws: calls as the account.
        account: as identified.
        names: buckets and StackSets that somebody named, besides those found by themselves.

    Raises:
        ServiceError: an AWS call failed.
    """
    shaped = set(iam.roles_that_trust(aws, PRINCIPAL))
    roles = {
        name: role
        for name in sorted(shaped | {*ROLES.values(), *OTHER_ROLES})
        if (role := iam.describe_role(aws, name)) is not None
    }
    reports: dict[str, Mapping[str, Any]] = {}
    buckets: dict[str, Bucket] = {}
    if account.account_type != "linked":
        reports = {r["ReportName"]: r for r in cur.list_reports(aws)}
        wanted = {str(r["S3Bucket"]) for r in reports.values()} | set(names)
        buckets = {
            name: bucket
            for name in sorted(wanted)
            if (bucket := s3.describe_bucket(aws, name, account.account_id)) is not None
        }
    stack_sets = _stack_sets(aws, names) if account.account_type == "payer" else {}
    regions = {aws.region, "us-east-1", *(b.region for b in buckets.values())}
    owners = {
        what: stack
        for what, name in (
            *((f"role {n}", n) for n in roles),
            *((f"bucket {n}", n) for n in buckets),
            *((f"report {n}", n) for n in reports),
            *((f"StackSet {n}", s.stack_set_id) for n, s in stack_sets.items()),
        )
        if (stack := cloudformation.owning_stack(aws, name, *regions)) is not None
    }
    members = _organization(aws) if stack_sets else None
    return Inventory(account, roles, reports, buckets, stack_sets, owners, members)


def _organization(aws: Aws) -> Organization | None:
    try:
        return organizations.read(aws)
    except ServiceError as error:
        if is_denied(error):
            return None
        raise


def _stack_sets(aws: Aws, names: Collection[str]) -> dict[str, ObservedStackSet]:
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
