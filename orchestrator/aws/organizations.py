"""Who belongs to the organization, and where: read once, OU by OU, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from orchestrator.aws.session import Aws
from orchestrator.model.organization import Member, Organization

_PARALLEL = 10  # Organizations throttles at about as many calls in a burst


def root_id(aws: Aws) -> str:
    """The organization's root (Organizations ListRoots)."""
    return str(aws.client("organizations").list_roots()["Roots"][0]["Id"])


def read(aws: Aws) -> Organization:
    """Reads the whole tree (ListRoots, ListOrganizationalUnitsForParent, ListAccountsForParent).

    Raises:
        botocore.exceptions.ClientError: the caller may not, or AWS failed.
    """
    client = aws.client("organizations")
    management = client.describe_organization()["Organization"]["MasterAccountId"]
    root = root_id(aws)
    parents: dict[str, str | None] = {root: None}
    members: list[Member] = []
    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        under_way: dict[Future[tuple[list[str], list[Member]]], str] = {
            pool.submit(_children, client, root): root
        }
        while under_way:
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                parent = under_way.pop(future)
                ous, accounts = future.result()
                members += accounts
                for ou in ous:
                    parents[ou] = parent
                    under_way[pool.submit(_children, client, ou)] = ou
    return Organization(
        root, parents, tuple(sorted(members, key=lambda m: m.account_id)), management
    )


def account_state(account: Mapping[str, Any]) -> str:
    """Read the state of an ``Account`` of Organizations; empty if AWS says none.

    AWS announced that ``State`` replaces ``Status`` on 2026-09-09 (botocore's model of Account).
    """
    return str(account.get("State") or account.get("Status") or "")


def _children(client: Any, parent: str) -> tuple[list[str], list[Member]]:
    ous = [
        ou["Id"]
        for page in client.get_paginator("list_organizational_units_for_parent").paginate(
            ParentId=parent
        )
        for ou in page["OrganizationalUnits"]
    ]
    accounts = [
        Member(a["Id"], a["Name"], account_state(a), parent)
        for page in client.get_paginator("list_accounts_for_parent").paginate(ParentId=parent)
        for a in page["Accounts"]
    ]
    return ous, accounts
