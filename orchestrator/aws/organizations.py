"""Read the organization: its management account, its tree of OUs and the accounts in them."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of
from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws
from orchestrator.model.organization import Member, Organization

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_organizations.type_defs import (
        AccountTypeDef,
        OrganizationTypeDef,
        RootTypeDef,
    )

_PARALLEL = 10  # Organizations throttles at about as many calls in a burst


def management_account(aws: Aws) -> str | None:
    """Read the organization's management account; None for an account in no organization."""
    try:
        return _describe(aws)["MasterAccountId"]
    except ClientError as error:
        if code_of(error) == "AWSOrganizationsNotInUseException":
            return None
        raise


def has_all_features(aws: Aws) -> bool:
    """Tell whether the organization has all features, not consolidated billing alone."""
    return _describe(aws)["FeatureSet"] == "ALL"


def account_name(aws: Aws, account_id: str) -> str:
    """Return an account's name; only a management account may ask (DescribeAccount)."""
    return aws.client("organizations").describe_account(AccountId=account_id)["Account"]["Name"]


def root_id(aws: Aws) -> str:
    """Read the id of the organization's root (ListRoots)."""
    return _root(aws)["Id"]


def enabled_policy_types(aws: Aws) -> frozenset[str]:
    """Read which types of policies the organization has enabled (ListRoots)."""
    enabled = (t for t in _root(aws).get("PolicyTypes", []) if t["Status"] == "ENABLED")
    return frozenset(str(t["Type"]) for t in enabled)


@fact
def _root(aws: Aws) -> RootTypeDef:
    return aws.client("organizations").list_roots()["Roots"][0]


@fact
def read(aws: Aws) -> Organization:
    """Read the whole tree, several OUs at once.

    Sources: DescribeOrganization, ListRoots, ListOrganizationalUnitsForParent,
    ListAccountsForParent.

    Raises:
        ServiceError: a permission is missing, or AWS returned another error.
    """
    client = aws.client("organizations")
    organization = _describe(aws)
    root = root_id(aws)
    parents: dict[str, str | None] = {root: None}
    names: dict[str, str] = {}
    members: list[Member] = []
    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        pending: dict[Future[tuple[dict[str, str], list[Member]]], str] = {
            pool.submit(_children, client, root): root
        }
        while pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                parent = pending.pop(future)
                ous, accounts = future.result()
                members += accounts
                names |= ous
                for ou in ous:
                    parents[ou] = parent
                    pending[pool.submit(_children, client, ou)] = ou
    return Organization(
        root,
        parents,
        tuple(sorted(members, key=lambda m: m.account_id)),
        organization["MasterAccountId"],
        names,
        organization["Id"],
    )


def delegated_administrators(aws: Aws, service: str) -> list[str]:
    """List the accounts that act for the management account in a service.

    Args:
        aws: calls as the management account.
        service: the service's principal, like ``ssm.amazonaws.com``.

    Source: ListDelegatedAdministrators.
    """
    pages = (
        aws.client("organizations")
        .get_paginator("list_delegated_administrators")
        .paginate(ServicePrincipal=service)
    )
    return [account["Id"] for page in pages for account in page["DelegatedAdministrators"]]


def account_state(account: AccountTypeDef) -> str:
    """Read the state of an ``Account`` of Organizations; empty if AWS says none.

    AWS announced that ``State`` replaces ``Status`` on 2026-09-09 (botocore's model of Account).
    """
    return account.get("State") or account.get("Status") or ""


@fact
def _describe(aws: Aws) -> OrganizationTypeDef:
    return aws.client("organizations").describe_organization()["Organization"]


def _children(client: OrganizationsClient, parent: str) -> tuple[dict[str, str], list[Member]]:
    ous = {
        ou["Id"]: ou["Name"]
        for page in client.get_paginator("list_organizational_units_for_parent").paginate(
            ParentId=parent
        )
        for ou in page["OrganizationalUnits"]
    }
    accounts = [
        Member(a["Id"], a["Name"], account_state(a), parent)
        for page in client.get_paginator("list_accounts_for_parent").paginate(ParentId=parent)
        for a in page["Accounts"]
    ]
    return ous, accounts
