"""The linked accounts of a payer, as one look at AWS found them."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.model.coverage import Coverage
from orchestrator.model.organization import Organization
from orchestrator.model.stackset import Deployed


@dataclass(frozen=True)
class LinkedAccounts:
    """The organization, its StackSet, and each account's standing.

    Attributes:
        organization: every account and OU.
        deployed: the StackSet with its instances; None if there is none yet.
        targets: the OUs to deploy to: octo.yaml's, or the root.
        coverage: where each account stands.
    """

    organization: Organization
    deployed: Deployed | None
    targets: tuple[str, ...]
    coverage: Coverage
