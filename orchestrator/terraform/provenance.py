"""Check the provenance of a saved plan: it must be made from what is here and in AWS now.

Terraform itself refuses a plan of an older state or of another lock file, but only when it applies.
It applies a plan of other inputs or of another module without a word, since the plan carries its
own copy of both; nor does it read AWS again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.errors import PlanRefused, WrongAccount
from orchestrator.model.outside_action import OutsideAction
from orchestrator.model.registration import Registration
from orchestrator.terraform import plan_file, preview, render
from orchestrator.terraform.plan import Plan, ResourceValues
from orchestrator.terraform.state import StateVersion

_OVERRIDE = "allow_destroy_override.tf"
# Resources that say what Octo and others can do: a review of a plan is about them as a whole.
_GRANTING = ("aws_iam_", "aws_s3_bucket_policy")


def check(
    plan: Plan,
    file: plan_file.PlanFile,
    *,
    registration: Registration,
    root: render.Root,
    lock_file: str,
    state: StateVersion,
) -> None:
    """Refuse a saved plan that was made from something else than what is here now.

    Args:
        file: what the plan was made from.
        root: the root folder as it is rendered now.
        state: the state's version now, or once it was edited as the plan announces.

    Raises:
        WrongAccount: the plan is for another account.
        PlanRefused: something differs; every difference is named.
    """
    account_id = plan.inputs.get("account_id")
    if account_id != registration.account_id:
        raise WrongAccount(
            f"the plan is for account {account_id}, not {registration.account_id}",
            where=str(plan.file),
            hint="Make a new one with `octo-tf plan --out FILE`.",
        )
    reasons = [
        *_config(file, root),
        *_inputs(plan, root),
        *_providers(plan_file.locked(file.lock_file), plan_file.locked(lock_file)),
        *_state(file.state, state),
    ]
    if reasons:
        raise PlanRefused(
            "the plan was made from something else and was not applied:\n"
            + "\n".join(f"  {reason}" for reason in reasons),
            where=str(plan.file),
            hint="Make and review a new one with `octo-tf plan --out FILE`; give plan and apply"
            " the same octo.yaml, flags and version of octo-tf.",
        )


def check_announced(
    path: Path, announced: Sequence[OutsideAction], needed: Sequence[OutsideAction]
) -> None:
    """Make sure that a saved plan announces everything that is to be done outside Terraform.

    Raises:
        PlanRefused: something is to be done that the plan does not announce.
    """
    known = {(action.code, action.subject) for action in announced}
    if unknown := [a.summary for a in needed if (a.code, a.subject) not in known]:
        raise PlanRefused(
            "the saved plan does not announce what is to be done now; it was not applied:\n"
            + "\n".join(f"  {summary}" for summary in unknown),
            where=str(path),
            hint="Make and review a new one with `octo-tf plan --out FILE`.",
        )


def check_drift(reviewed: Plan, now: Plan, repairs: Sequence[str]) -> dict[str, str]:
    """Compare a saved plan with one made now: AWS may have changed since the review.

    Args:
        now: the plan made now; both as read back from their files.
        repairs: changes of roles that the new plan would undo and the saved one would not.

    Returns:
        What else changed, by address: applying the saved plan does not touch it.

    Raises:
        PlanRefused: something changed that the saved plan changes, or that grants access, or a
            new plan would destroy a protected resource.
    """
    was = {resource.address: resource for resource in reviewed.resources}
    refused = dict.fromkeys(
        now.undestroyable, "a new plan would destroy it, although it is protected"
    )
    left: dict[str, str] = {}
    for resource in now.resources:
        then = was.get(resource.address)
        if what := _drift(then, resource):
            is_left = then and then.action == "noop" and not resource.type.startswith(_GRANTING)
            (left if is_left else refused)[resource.address] = what
    if refused:
        reasons = [*(f"{address}: {what}" for address, what in refused.items()), *repairs]
        raise PlanRefused(
            "resources in AWS have changed since the plan was made; the plan was not applied:\n"
            + "\n".join(f"  {reason}" for reason in reasons),
            where=str(reviewed.file),
            hint="Make and review a new one with `octo-tf plan --out FILE`.",
        )
    return left


def _drift(then: ResourceValues | None, now: ResourceValues) -> str:
    """Name the attributes that differ in AWS, or in what is planned; values stay unsaid."""
    if then is None:
        return "it is not in the reviewed plan"
    if (then.before is None) != (now.before is None):
        return "it was deleted" if now.before is None else "it exists now"
    pairs = (
        (then.before, now.before, frozenset[str]()),
        (then.after, now.after, then.unknown | now.unknown),
    )
    names = {
        name
        for was, is_, later in pairs
        for name in {*(was or ()), *(is_ or ())} - later
        if (was or {}).get(name) != (is_ or {}).get(name)
    }
    return ", ".join(sorted(names))


def _config(file: plan_file.PlanFile, root: render.Root) -> Iterator[str]:
    now = {name: content for name, content in root.files.items() if name.endswith(".tf")}
    for name in sorted((now.keys() | file.config.keys()) - {preview.BACKEND}):
        if now.get(name) == file.config.get(name):
            continue
        if Path(name).name == _OVERRIDE:
            yield "--allow-destroy: the plan was made with other addresses"
        elif name not in file.config:
            yield f"{name}: is not in the plan"
        elif name not in now:
            yield f"{name}: is in the plan only"
        else:
            yield f"{name}: differs in the plan"


def _inputs(plan: Plan, root: render.Root) -> Iterator[str]:
    now = root.values
    for name in sorted(now.keys() | plan.inputs.keys()):
        if now.get(name) != plan.inputs.get(name):  # values stay unsaid: one is the external id
            yield f"{name}: has another value in the plan"


def _providers(then: plan_file.Locked, now: plan_file.Locked) -> Iterator[str]:
    for name in sorted(now.keys() | then.keys()):
        version, hashes = then.get(name, ("none", frozenset()))
        version_now, hashes_now = now.get(name, ("none", frozenset()))
        if version != version_now:
            yield f".terraform.lock.hcl: {name} {version} in the plan, {version_now} here"
        # A registry and a mirror lock the same package by different hashes, and share one.
        elif not hashes & hashes_now:
            yield f".terraform.lock.hcl: {name} {version} is another package in the plan"


def _state(then: StateVersion, now: StateVersion) -> Iterator[str]:
    if then.lineage != now.lineage:
        yield (
            "the state is another one than the plan's"
            if then.lineage
            else "there was no state yet when the plan was made"
        )
    elif then.serial != now.serial:
        yield f"the state moved on: serial {then.serial} in the plan, {now.serial} now"
