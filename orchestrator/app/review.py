"""A plan as it is put before a reviewer: what would change, where, and what the guard says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from orchestrator.model.account import Account, AccountType
from orchestrator.model.effects import Effects
from orchestrator.model.outside_action import OutsideAction
from orchestrator.stackset.deployments import PendingDeployments
from orchestrator.terraform import guard
from orchestrator.terraform.guard import Verdict
from orchestrator.terraform.plan import Plan


@dataclass(frozen=True)
class Review:
    """A plan to be reviewed; what it holds may be shown.

    Attributes:
        account_name: its name in Octo, or empty.
        linked: what is done for single linked accounts, beside the plan.
        outside: what is done outside Terraform, in this order; see ``OutsideAction.after_apply``.
        effects: what the plan means; nothing where Terraform refused to save it.
        replay: the command line that applies this very plan; empty if the plan was not kept.
    """

    plan: Plan
    verdict: Verdict
    account_id: str
    account_name: str
    account_type: AccountType
    linked: PendingDeployments = field(default_factory=PendingDeployments)
    outside: tuple[OutsideAction, ...] = ()
    effects: Effects = field(default_factory=Effects)
    replay: str = ""

    @property
    def has_changes(self) -> bool:
        """Whether applying it would change anything."""
        certain = any(not action.conditional for action in self.outside)
        return self.plan.has_changes or bool(self.linked) or certain


def review(
    plan: Plan,
    account: Account,
    account_name: str,
    *,
    allow_destroy: Collection[str] = (),
    accepted: Collection[str] = (),
    linked: PendingDeployments | None = None,
    outside: tuple[OutsideAction, ...] = (),
    effects: Effects | None = None,
) -> Review:
    """Have the guard judge a plan, and return both for a reviewer.

    Args:
        allow_destroy: addresses that may be destroyed although they are protected.
        accepted: what octo.yaml accepts of the effects.
        linked: see ``Review``, as for the other arguments.
    """
    effects = effects or Effects()
    verdict = guard.judge(
        plan, allow_destroy=allow_destroy, unaccepted=effects.unaccepted, accepted=accepted
    )
    return Review(
        plan,
        verdict,
        account.account_id,
        account_name,
        account.account_type,
        linked or PendingDeployments(),
        outside,
        effects,
    )
