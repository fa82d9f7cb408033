"""The route of a registration, from octo.yaml to *Confirm and Finish*. Read this file first.

    config → identify → register → render → init → plan → guard → apply → verify → confirm

Each step is a room of its own with a plain input and a plain result; a command is a part of
this route. Everything before ``apply`` writes to the root folder at most, and nothing is
written at all before ``identify`` has made sure that the account is the one that was meant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from orchestrator.app import planning
from orchestrator.app.context import Run
from orchestrator.app.lookahead import LookAhead
from orchestrator.app.review import Review
from orchestrator.model.module_outputs import Outputs, typed
from orchestrator.model.octo_records import AreaName, AreaStatus
from orchestrator.model.version_constraint import Constraint
from orchestrator.stackset.watch import STACK_SET, watched
from orchestrator.terraform import journal, render
from orchestrator.terraform import plan_file as plan_files
from orchestrator.verify.model import Area, Context, Report, Status
from orchestrator.verify.runner import verify as run_checks
from orchestrator.verify.stackset import linked_standings

_SETTLE_SECONDS = 30.0  # IAM and S3 may answer from before the apply for this long


def prepare(run: Run, *, tell_octo: bool = False) -> render.Root:
    """identify → register → render → init: the root folder, ready for Terraform.

    Octo itself is told where ``tell_octo``, before anything is written: it may refuse the account.
    """
    account = run.account
    provider_version = Constraint.parse(run.registration.provider_version)
    _ = run.external_id  # a wrong one is found before anything is written
    run.terraform.check_lock(provider_version)  # and so is a folder that init would fail in
    run.octo.register(
        account.account_id,
        run.registration.account_name or "",
        account.account_type,
        payer_id=account.management_account_id,
        here_only=not tell_octo,
    )
    root = run.rendered()
    render.write(root, run.folder)
    with run.progress.step("Preparing Terraform"):
        run.terraform.init(provider_version=provider_version, backend_config=root.backend_config)
    return root


def plan(run: Run, file: Path | None = None) -> Review:
    """... → plan → guard: a saved plan with the guard's verdict; a refused one is not kept."""
    check_linked(run)
    return planning.make(run, prepare(run), file)


def check_linked(run: Run) -> None:
    """What a StackSet needs is looked at before anything is written."""
    if run.account.account_type == "payer":
        # A backend is asked when planning, after init.
        planning.check_region(run, run.terraform.resources(STACK_SET, here_only=True))
    run.linked.check(run.account, enable_access=run.settings.enable_access)


def apply(
    run: Run, *, approve: Callable[[Review], None], plan_file: Path | None = None
) -> tuple[Review, Report]:
    """... → apply of that very plan → verify → confirm: the whole route.

    Args:
        run: the registration on its way.
        approve: shown the plan when it has changes; raises to stop.
        plan_file: a plan made earlier; None makes one.

    Raises:
        PlanRefused: the guard refuses the plan, or it was made from something else.
    """
    check_linked(run)
    root = prepare(run, tell_octo=True)
    known = run.terraform.local_outputs() if plan_file is None else {}
    ahead = LookAhead(known, lambda values: _look(run, typed(values, run.registration.account_id)))
    review = (
        planning.make(run, root)
        if plan_file is None
        else planning.read(run, root, plan_file.absolute())
    )
    review.verdict.enforce()
    made = review.plan
    try:
        if review.has_changes:
            approve(review)
        if made.has_changes:
            journal.begin(run.folder, made)
            with run.progress.step("Applying"), watched(run.linked, made):
                values = run.terraform.apply_plan(made.file)
            journal.end(run.folder)
        else:
            values = plan_files.read(made.file).outputs  # spares a start of Terraform
    finally:
        run.plan_file.unlink(missing_ok=True)  # it holds the inputs, and is used up
    run.linked.wait()
    run.linked.carry_out(review.linked)
    report = None if review.has_changes else ahead.report(values)
    if report is None:
        settle = _SETTLE_SECONDS if review.has_changes else 0.0
        report = _verify(run, typed(values, run.registration.account_id), settle_seconds=settle)
    return review, confirm(run, report)


def verify(run: Run) -> Report:
    """identify → init → outputs → verify → confirm: what AWS has, without a plan."""
    prepare(run)
    return confirm(run, _verify(run, known(run)))


def look(run: Run) -> tuple[Outputs, Report]:
    """What was applied last, and whether it holds now; Octo's side learns nothing of it."""
    prepare(run)
    outputs = known(run)
    return outputs, _look(run, outputs)


def context(run: Run, outputs: Outputs) -> Context:
    """What checks may look at."""
    return Context(
        expected=outputs,
        external_id=run.external_id.get_secret_value(),
        aws=run.aws,
        principal=run.principal,
        now=time.time,
    )


def known(run: Run) -> Outputs:
    """What was applied last.

    Raises:
        EngineError: nothing was.
    """
    return typed(run.terraform.outputs(), run.registration.account_id)


def _verify(run: Run, outputs: Outputs, *, settle_seconds: float = 0.0) -> Report:
    with run.progress.step("Verifying"):
        return _look(
            run, outputs, wait_seconds=run.settings.wait_seconds, settle_seconds=settle_seconds
        )


def _look(
    run: Run, outputs: Outputs, *, wait_seconds: float = 0.0, settle_seconds: float = 0.0
) -> Report:
    return run_checks(
        context(run, outputs),
        account_name=run.registration.account_name or "",
        wait_seconds=wait_seconds,
        settle_seconds=settle_seconds,
    )


def confirm(
    run: Run,
    report: Report,
    *,
    finish: bool = True,
    before: Mapping[AreaName, AreaStatus] | None = None,
) -> Report:
    """Octo's side learns what passed; the report, with Octo's own answers.

    Args:
        run: the registration on its way.
        report: what was verified.
        finish: whether this is *Confirm and Finish*, where it is allowed.
        before: the status of areas that were not looked at now.
    """
    seen: dict[AreaName, AreaStatus] = {
        area.value: report.areas[area].value for area in Area if area.value not in (before or {})
    }
    linked = linked_standings(report)
    if linked and (new := run.octo.linked.register(linked)):
        run.progress.say(f"  {len(new)} linked accounts are registered now")
    with run.progress.step("Confirming with Octo") if run.octo_api else nullcontext():
        record = run.octo.confirm(
            report.account_id,
            {**(before or {}), **seen},
            finish=finish and report.areas[Area.API_ACCESS] is Status.PASS,
        )
    answers = {Area(area): answer for area, answer in record.octo.items()}
    passed = {a: answer for a, answer in answers.items() if report.areas[a] is Status.PASS}
    return replace(report, octo=passed)
