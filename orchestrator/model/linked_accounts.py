"""The linked accounts of a payer, as AWS has them at one time."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.model.coverage import Coverage
from orchestrator.model.organization import Organization
from orchestrator.model.stackset import StackSet


@dataclass(frozen=True)
class LinkedAccounts:
    """The organization, its StackSet, and whether each account has the role.

    Attributes:
        deployed: the StackSet with its stack instances; None if there is none yet.
        targets: the OUs to deploy to: octo.yaml's, or the root.
    """

    organization: Organization
    deployed: StackSet | None
    targets: tuple[str, ...]
    coverage: Coverage
