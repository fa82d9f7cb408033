"""Judge a plan: it must not destroy or replace what Octo depends on, nor do anything unknown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.errors import PlanRefused
from orchestrator.model.module_contract.addresses import in_its_module
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import BUCKET, REPORT, STACKSET, TARGET

# Resource types whose loss breaks a registration, with the consequence.
PROTECTED = {
    "aws_iam_role": "Octo could no longer reach the account",
    BUCKET: "the billing data in it would be lost",
    REPORT: "AWS would stop delivering billing data",
    STACKSET: "linked accounts would leave Octo's reach",
    TARGET: "its linked accounts would leave the StackSet",
    "aws_s3_bucket_policy": "AWS could not deliver, and another owner's statements may be lost",
}
_UNDERSTOOD = {"create", "update", "delete", "replace", "import", "move", "remove"}
_DESTROYING = {"delete", "replace"}


@dataclass(frozen=True)
class Verdict:
    """The guard's verdict on a plan.

    Attributes:
        refusals: maps each refused address to the reason.
        unknown: the addresses of actions that this version does not know; nothing allows them.
        unaccepted: what the plan would let Octo do, as lines of ``accept`` that octo.yaml lacks.
        accepted: the lines that it has.
    """

    refusals: Mapping[str, str]
    unknown: frozenset[str] = frozenset()
    unaccepted: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the plan may be applied."""
        return not self.refusals and not self.unaccepted

    @property
    def reasons(self) -> dict[str, str]:
        """Every refused address, and every line that ``accept`` lacks, with the reason."""
        lacking = "Octo could not do this before, and no setting of octo.yaml names it"
        return {**self.refusals, **dict.fromkeys(self.unaccepted, lacking)}

    def enforce(self) -> None:
        """Refuse a plan that is not allowed.

        Raises:
            PlanRefused: the plan is not allowed; each resource is named with the reason.
        """
        if self.allowed:
            return
        raise PlanRefused(
            "the plan was refused and not applied:\n"
            + "\n".join(f"  {address}: {why}" for address, why in self.reasons.items()),
            hint=self.hint,
        )

    @property
    def hint(self) -> str:
        """What to do about a plan that is not allowed."""
        if self.unknown:
            return "Use a newer version of octo-tf, which may know these actions."
        hints = []
        if self.refusals:
            options = " ".join(f"--allow-destroy '{address}'" for address in self.refusals)
            hints.append(f"Undo the setting that causes it, or allow the destruction: {options}")
        if self.unaccepted:
            lines = [f"  - {line}" for line in (*self.accepted, *self.unaccepted)]
            hints.append(
                "If Octo is to have it, say so in octo.yaml, where the commit is reviewed:\n"
                + "\n".join(["accept:", *lines])
            )
        return "\n".join(hints)


def judge(
    plan: Plan,
    *,
    allow_destroy: Collection[str] = (),
    unaccepted: Collection[str] = (),
    accepted: Collection[str] = (),
) -> Verdict:
    """Judge a plan.

    Args:
        allow_destroy: addresses that the user named with ``--allow-destroy``.
    """
    refusals = {
        address: "Terraform's prevent_destroy protects it; "
        + _consequence(address, "its content would be lost")
        for address in plan.undestroyable
        if address not in allow_destroy
    }
    unknown = frozenset(c.address for c in plan.changes if c.action not in _UNDERSTOOD)
    for change in plan.changes:
        if change.address in unknown:
            refusals[change.address] = f"the action {change.action!r} is unknown to octo-tf"
        elif (
            change.action in _DESTROYING
            and change.type in PROTECTED
            and change.address not in allow_destroy
        ):
            because = f" ({change.reason.replace('_', ' ')})" if change.reason else ""
            refusals[change.address] = (
                f"the plan would {change.action} it{because}; {_consequence(change.address)}"
            )
    return Verdict(dict(sorted(refusals.items())), unknown, (*unaccepted,), (*accepted,))


def _consequence(address: str, otherwise: str = "") -> str:
    """Say what the loss of a resource means; a role of a feature is not the way in."""
    resource = in_its_module(address)
    if resource.startswith("aws_iam_role.feature["):
        return "the feature of Octo that needs it would end"
    return PROTECTED.get(resource.partition(".")[0], otherwise)
