"""What was found in an account, thing by thing: what it is, whose it is, what adopt would do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.adoption.inventory import OTHER_ROLES, Inventory
from orchestrator.adoption.proposal import Proposal
from orchestrator.detection import permissions
from orchestrator.detection.compare import ROLES
from orchestrator.model.resource_names import API_ROLE, CUR_ROLE

Fate = Literal["ours", "adopt", "release first", "stays"]


@dataclass(frozen=True)
class Thing:
    """Something in the account that Octo stands on, or once stood on.

    Attributes:
        kind: ``role``, ``bucket``, ``report`` or ``stackset``.
        name: its name in AWS.
        purpose: what it is for, in words.
        owner: ``octo-tf``, ``stack NAME``, or ``unknown``: another Terraform, or nobody; AWS does
            not say which.
        fate: what octo-tf adopt would do about it.
        risks: what is dangerous about it, in words.
    """

    kind: str
    name: str
    purpose: str
    owner: str
    fate: Fate
    risks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Discovery:
    """An account with what was found in it, and what should be known before adopting it."""

    account_id: str
    account_type: str
    things: tuple[Thing, ...]
    notes: tuple[str, ...] = ()


def discover(found: Inventory, proposal: Proposal | None, ours: Collection[str]) -> Discovery:
    """Puts together what was found.

    Args:
        found: what the account has.
        proposal: what adopt would do; None where there is nothing to take over.
        ours: names of roles, buckets, reports and StackSets that octo-tf's own state holds.
    """
    things = tuple(_things(found, proposal, ours))
    waiting = any(thing.fate in ("adopt", "release first") for thing in things)
    notes = proposal.warnings if proposal and waiting else ()
    return Discovery(found.account.account_id, found.account.account_type, things, notes)


def _things(found: Inventory, proposal: Proposal | None, ours: Collection[str]) -> Iterator[Thing]:
    def thing(kind: str, name: str, purpose: str, risks: tuple[str, ...] = ()) -> Thing:
        what = f"{'StackSet' if kind == 'stackset' else kind} {name}"
        stack = found.owners.get(what)
        adopted = proposal is not None and what in proposal.adopted
        fate: Fate = "adopt" if adopted else "stays"
        if name in ours:
            return Thing(kind, name, purpose, "octo-tf", "ours", risks)
        if stack is not None:
            fate = "release first" if adopted else "stays"
        return Thing(kind, name, purpose, f"stack {stack}" if stack else "unknown", fate, risks)

    for name, role in found.roles.items():
        yield thing("role", name, _purpose(name), permissions.role_risks(role))
    for name, report in found.reports.items():
        where = f"{report['S3Bucket']}/{report['S3Prefix']}"
        yield thing("report", name, f"{report.get('TimeUnit', '').lower()} report to {where}")
    for name, bucket in found.buckets.items():
        yield thing("bucket", name, f"holds reports, in {bucket.region}")
    for name, stack_set in found.stack_sets.items():
        yield thing("stackset", name, f"API access, current in {len(stack_set.current)} accounts")


def _purpose(name: str) -> str:
    if name == API_ROLE:
        return "API access"
    if name == CUR_ROLE:
        return "reads the report"
    if name in ROLES.values():
        return "operations"
    return "of the published module" if name in OTHER_ROLES else "trusts Octo's account"
