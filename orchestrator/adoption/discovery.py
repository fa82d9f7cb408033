"""Describe what an account has for Octo: who owns each resource, and what adopt would do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.adoption.inventory import Inventory
from orchestrator.adoption.proposal import Proposal
from orchestrator.detection import permissions
from orchestrator.model.differences import foreign_principals
from orchestrator.model.module_contract.addresses import ROLES
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    CUR_ROLE,
    OTHER_ROLES,
    SEARCHER_ROLE,
)
from orchestrator.model.observed import Role
from orchestrator.model.words import counted

Fate = Literal["ours", "adopt", "release first", "stays"]


@dataclass(frozen=True)
class DiscoveredResource:
    """A resource for Octo in the account.

    Attributes:
        kind: ``role``, ``bucket``, ``report`` or ``stackset``.
        purpose: what it is for, in words.
        owner: ``octo-tf``, ``stack NAME``, or ``unknown``: AWS does not say whether another
            Terraform state has it.
        fate: what octo-tf adopt would do: ``ours`` is in octo-tf's own state already.
        risks: what is dangerous about its policies, in words.
        owner_region: where the stack is that owns it; empty without one.
    """

    kind: str
    name: str
    purpose: str
    owner: str
    fate: Fate
    risks: tuple[str, ...] = ()
    owner_region: str = ""


@dataclass(frozen=True)
class Discovery:
    """An account with its resources for Octo, and notes to read before adopting them."""

    account_id: str
    account_type: str
    resources: tuple[DiscoveredResource, ...]
    notes: tuple[str, ...] = ()


def discover(found: Inventory, proposal: Proposal | None, managed: Collection[str]) -> Discovery:
    """Describe the resources of an inventory.

    Args:
        proposal: what adopt would do; None if there is nothing to adopt.
        managed: the names of roles, buckets, reports and StackSets in octo-tf's own state.
    """
    resources = tuple(_resources(found, proposal, managed))
    is_open = any(resource.fate in ("adopt", "release first") for resource in resources)
    notes = [*(proposal.warnings if proposal and is_open else ())]
    notes += [f"adopt refuses {why}." for why in (proposal.obstacles if proposal else ())]
    if found.stack_search:
        notes.append(found.stack_search)
    return Discovery(found.account.account_id, found.account.account_type, resources, (*notes,))


def _resources(
    found: Inventory, proposal: Proposal | None, managed: Collection[str]
) -> Iterator[DiscoveredResource]:
    def described(
        kind: str, name: str, purpose: str, risks: tuple[str, ...] = ()
    ) -> DiscoveredResource:
        key = f"{'StackSet' if kind == 'stackset' else kind} {name}"
        stack = found.owners.get(key)
        owner, region = (f"stack {stack.name}", stack.region) if stack else ("unknown", "")
        fate: Fate = "stays"
        if name in managed:
            owner, region, fate = "octo-tf", "", "ours"
        elif proposal is not None and key in proposal.adopted:
            fate = "release first" if stack else "adopt"
        return DiscoveredResource(kind, name, purpose, owner, fate, risks, region)

    for name, role in found.roles.items():
        yield described("role", name, _purpose(role), permissions.role_risks(role))
    for name, report in found.reports.items():
        where = f"{report['S3Bucket']}/{report['S3Prefix']}"
        yield described("report", name, f"{report.get('TimeUnit', '').lower()} report to {where}")
    for name, bucket in found.buckets.items():
        yield described("bucket", name, f"holds reports, in {bucket.region}")
    for name, stack_set in found.stack_sets.items():
        accounts = counted(len(stack_set.current), "account")
        yield described("stackset", name, f"API access, current in {accounts}")


def _purpose(role: Role) -> str:
    purposes = dict.fromkeys(ROLES.values(), "executes recommendations")
    purposes |= dict.fromkeys(OTHER_ROLES, "of the published module")
    purposes |= {
        API_ROLE: "API access",
        CUR_ROLE: "reads the report",
        SEARCHER_ROLE: "recommendations",
    }
    others = ", ".join(foreign_principals(role))
    purpose = purposes.get(role.name, "trusts Octo's account")
    return f"{purpose}; trusts {others}" if others else purpose
