"""init's root → a plan that is reviewed: made now, or read from a file that was saved before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from orchestrator.app.context import Run
from orchestrator.app.review import Review
from orchestrator.aws.errors import explained
from orchestrator.detection import imports
from orchestrator.errors import Refused
from orchestrator.stackset.watch import STACK_SET, TARGET
from orchestrator.terraform import guard, journal, plan_file, provenance, render
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import StateResource


def make(run: Run, root: render.Root, file: Path | None = None) -> Review:
    """Plans, twice where AWS has something that Terraform would create; the guard judges it.

    Args:
        run: the registration on its way.
        root: as it was written.
        file: where the plan is saved; a refused one is not kept.

    Raises:
        EngineError: Terraform failed.
        Refused: AWS has something that is not ours to take, or a StackSet would have to move.
    """
    if run.account.account_type == "payer":
        is_local = run.registration.backend.type == "local"
        known = run.terraform.resources(STACK_SET, TARGET, here_only=is_local)
        check_region(run, known)
        _keep_wanted(run, known)
    target = (file or run.plan_file).absolute()
    with run.progress.step("Planning"):
        made = run.terraform.plan(target)
    if ids := _there(run, made):
        render.write(render.importing(root, ids), run.folder)
        with run.progress.step("Planning with what is there"):
            made = run.terraform.plan(target)
    review = _review(run, made)
    if not review.verdict.allowed:
        made.file.unlink(missing_ok=True)  # nobody shall apply it by hand
    return review


def read(run: Run, root: render.Root, file: Path) -> Review:
    """The plan of a file, made sure to be made from what is there now.

    Raises:
        PlanRefused: it was made from something else.
        EngineError: it is no plan.
    """
    with run.progress.step("Reading the plan"):
        made_from = plan_file.read(file)
        made = run.terraform.show(file)
        if ids := made.inputs.get("import_ids"):
            root = render.importing(root, ids)
            render.write(root, run.folder)
        provenance.examine(
            made,
            made_from,
            registration=run.registration,
            root=root,
            lock_file=run.terraform.lock_file,
            state=run.terraform.state_version(),
        )
    return _review(run, made)


def _there(run: Run, made: Plan) -> dict[str, str]:
    """What the plan would create although AWS has it: import ids by address.

    Raises:
        Refused: it is not ours to take, or more would go than was agreed to; the plan is gone.
    """
    if not made.changes or made.undestroyable:
        return {}
    try:
        with explained("looking at what is there"):
            return imports.find(
                run.aws,
                made,
                run.names,
                read=lambda: run.terraform.show(made.file).planned,
                unfinished=journal.addresses(run.folder),
                adopting=run.settings.adopting,
                agreed=run.settings.may_go,
            )
    except BaseException:
        made.file.unlink(missing_ok=True)  # it would fail half-way: nobody shall apply it
        raise


def check_region(run: Run, known: Iterable[StateResource]) -> None:
    """A StackSet stays in its region: elsewhere Terraform would not find it, and make a second one.

    Args:
        run: the registration on its way.
        known: what the state has of StackSets.

    Raises:
        Refused: octo.yaml names another region.
    """
    wanted = run.registration.region
    for resource in known:
        if resource.type == STACK_SET and resource.region not in ("", wanted):
            raise Refused(
                f"the StackSet is in {resource.region} and cannot move to {wanted}:"
                " nothing was changed",
                where=resource.address,
                hint=f"Set region: {resource.region}. Nothing else depends on it: roles are global,"
                " and the bucket's region is cur_s3_bucket_region.",
            )


def _keep_wanted(run: Run, known: Iterable[StateResource]) -> None:
    """Keeps Terraform from taking linked accounts out of the StackSet that are still wanted.

    It would replace a target whose making was interrupted or partly failed (it marks it as
    tainted), and destroy one that octo.yaml has replaced by another with the same accounts: by
    its OUs, or by the OU around it. What is there is kept instead, and brought in line account by
    account afterwards.
    """
    if not run.registration.use_stackset:
        return
    for resource in [r for r in known if r.type == TARGET]:
        dropped = resource.key not in run.linked.targets
        if dropped and run.linked.organization.overlap(resource.key, run.linked.targets):
            run.terraform.forget(resource.address)
            run.progress.warn(f"{resource.address}: other targets have its accounts now.")
        elif resource.tainted:
            run.linked.wait()
            run.terraform.untaint(resource.address)
            run.progress.warn(f"{resource.address}: going on where an earlier run ended.")


def _review(run: Run, made: Plan) -> Review:
    return Review(
        made,
        guard.judge(made, allow_destroy=run.settings.allow_destroy),
        run.registration.account_id,
        run.registration.account_name or "",
        run.account.account_type,
        run.linked.todo(),
    )
