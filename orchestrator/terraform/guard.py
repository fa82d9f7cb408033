"""What a plan may not do: destroy or replace what Octo stands on, or anything not understood."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.errors import PlanRefused
from orchestrator.terraform.plan import Plan

# Resource types whose loss breaks a registration, with what would be lost.
PROTECTED = {
    "aws_iam_role": "Octo could no longer reach the account",
    "aws_s3_bucket": "the billing data in it would be lost",
    "aws_cur_report_definition": "AWS would stop delivering billing data",
    "aws_cloudformation_stack_set": "linked accounts would leave Octo's reach",
    "aws_cloudformation_stack_set_instance": "its linked accounts would leave the StackSet",
    "aws_s3_bucket_policy": "AWS could no longer deliver, and another owner's statements may go",
}
_UNDERSTOOD = {"create", "update", "delete", "replace", "import", "move", "remove"}
_DESTROYING = {"delete", "replace"}


@dataclass(frozen=True)
class Verdict:
    """What the guard says of a plan; ``refusals`` holds each address with the reason."""

    refusals: Mapping[str, str]

    @property
    def allowed(self) -> bool:
        """Whether the plan may be applied."""
        return not self.refusals

    def enforce(self) -> None:
        """Lets an allowed plan pass.

        Raises:
            PlanRefused: names each resource and why.
        """
        if self.allowed:
            return
        raise PlanRefused(
            "the plan is refused, nothing was changed:\n"
            + "\n".join(f"  {address}: {why}" for address, why in self.refusals.items()),
            hint="Undo the setting that causes it, or name what may go: "
            + " ".join(f"--allow-destroy '{address}'" for address in self.refusals),
        )


def judge(plan: Plan, *, allow_destroy: Collection[str] = ()) -> Verdict:
    """Judges a plan.

    Args:
        plan: the plan, typed.
        allow_destroy: addresses that the user named with ``--allow-destroy``.
    """
    refusals = {
        address: "Terraform's prevent_destroy protects it; "
        + PROTECTED.get(_type(address), "its content would be lost")
        for address in plan.undestroyable
        if address not in allow_destroy
    }
    for change in plan.changes:
        if change.action not in _UNDERSTOOD:
            refusals[change.address] = f"the action {change.action!r} is not one octo-tf knows"
        elif (
            change.action in _DESTROYING
            and change.type in PROTECTED
            and change.address not in allow_destroy
        ):
            because = f" ({change.reason.replace('_', ' ')})" if change.reason else ""
            refusals[change.address] = (
                f"the plan would {change.action} it{because}; {PROTECTED[change.type]}"
            )
    return Verdict(dict(sorted(refusals.items())))


def _type(address: str) -> str:
    """``module.octo.aws_s3_bucket.cur[0]`` → ``aws_s3_bucket``."""
    parts = address.split("[")[0].split(".")
    return parts[-2] if len(parts) > 1 else ""
