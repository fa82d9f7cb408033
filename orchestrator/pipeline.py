"""The route of a registration, from octo.yaml to *Confirm and Finish*. Read this file first.

    config → identify → register → render → init → plan → guard → apply → verify → confirm

Each step is a room of its own with a plain input and a plain result; a command is a part of
this route. Everything before ``apply`` writes to the root folder at most, and nothing is
written at all before ``identify`` has made sure that the account is the one that was meant.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from orchestrator import binding, guard, render
from orchestrator.adoption import takeover, unfinished
from orchestrator.aws.errors import explained
from orchestrator.engine import planfile
from orchestrator.engine.outputs import Outputs
from orchestrator.engine.plan import Plan
from orchestrator.errors import EngineError
from orchestrator.lookahead import LookAhead
from orchestrator.octo.model import AreaName, AreaStatus
from orchestrator.review import Review
from orchestrator.run import Run
from orchestrator.verify.model import Area, Context, Report, Status
from orchestrator.verify.runner import verify as run_checks
from orchestrator.verify.stackset import linked_standings

_STACKSET_INSTANCE = "aws_cloudformation_stack_set_instance"
_STACKSET = {_STACKSET_INSTANCE, "aws_cloudformation_stack_set"}
_WATCH_SECONDS = 2.0
_SETTLE_SECONDS = 30.0  # IAM and S3 may answer from before the apply for this long


def prepare(run: Run, *, tell_octo: bool = False) -> render.Root:
    """identify → register → render → init: the root folder, ready for Terraform.

    Octo itself is told where ``tell_octo``, before anything is written: it may refuse the account.
    """
    account = run.account
    _ = run.external_id  # a wrong one is found before anything is written
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
        run.terraform.init(backend_config=root.backend_config)
    return root


def plan(run: Run, file: Path | None = None) -> Review:
    """... → plan → guard: a saved plan with the guard's verdict; a refused one is not kept."""
    check_linked(run)
    return _plan(run, prepare(run), file)


def check_linked(run: Run) -> None:
    """What a StackSet needs is looked at before anything is written."""
    run.linked.check(run.account, enable_access=run.settings.enable_access)


def _plan(run: Run, root: render.Root, file: Path | None = None) -> Review:
    _take_up(run)
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
    ahead = LookAhead(known, lambda values: _look(run, _typed(run, values)))
    review = (
        _plan(run, root) if plan_file is None else _earlier_plan(run, plan_file.absolute(), root)
    )
    review.verdict.enforce()
    made = review.plan
    try:
        if review.has_changes:
            approve(review)
        if made.has_changes:
            unfinished.begin(run.folder, made)
            with run.progress.step("Applying"), _watching(run, made):
                values = run.terraform.apply_plan(made.file)
            unfinished.end(run.folder)
        else:
            values = planfile.read(made.file).outputs  # spares a start of Terraform
    finally:
        run.plan_file.unlink(missing_ok=True)  # it holds the inputs, and is used up
    run.linked.wait()
    run.linked.carry_out(review.linked)
    report = None if review.has_changes else ahead.report(values)
    if report is None:
        settle = _SETTLE_SECONDS if review.has_changes else 0.0
        report = _verify(run, _typed(run, values), settle_seconds=settle)
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
    return _typed(run, run.terraform.outputs())


def _there(run: Run, made: Plan) -> dict[str, str]:
    """What the plan would create although AWS has it: import ids by address.

    Raises:
        Refused: it is not ours to take, or more would go than was agreed to; the plan is gone.
    """
    if not made.changes or made.undestroyable:
        return {}
    try:
        with explained("looking at what is there"):
            return takeover.imports(
                run.aws,
                made,
                run.names,
                read=lambda: run.terraform.show(made.file).planned,
                unfinished=unfinished.addresses(run.folder),
                adopting=run.settings.adopting,
                agreed=run.settings.may_go,
            )
    except BaseException:
        made.file.unlink(missing_ok=True)  # it would fail half-way: nobody shall apply it
        raise


def _take_up(run: Run) -> None:
    """Keeps Terraform from taking linked accounts out of the StackSet that are still wanted.

    It would replace a target whose making was interrupted or partly failed (it marks it as
    tainted), and destroy one that octo.yaml has replaced by another with the same accounts: by
    its OUs, or by the OU around it. What is there is kept instead, and brought in line account by
    account afterwards.
    """
    if not run.registration.use_stackset:
        return
    for resource in run.terraform.resources(_STACKSET_INSTANCE):
        dropped = resource.key not in run.linked.targets
        if dropped and run.linked.organization.overlap(resource.key, run.linked.targets):
            run.terraform.forget(resource.address)
            run.progress.warn(f"{resource.address}: other targets have its accounts now.")
        elif resource.tainted:
            run.linked.wait()
            run.terraform.untaint(resource.address)
            run.progress.warn(f"{resource.address}: going on where an earlier run ended.")


@contextmanager
def _watching(run: Run, made: Plan) -> Iterator[None]:
    """Shows how far linked accounts have got, while Terraform only says that it waits."""
    if not any(change.type in _STACKSET for change in made.changes):
        yield
        return
    ended = threading.Event()

    def show() -> None:
        while not ended.wait(_WATCH_SECONDS):
            try:
                run.linked.show_newest()
            except (BotoCoreError, ClientError):
                continue  # not made yet, or busy: progress can wait

    watcher = threading.Thread(target=show, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join(timeout=_WATCH_SECONDS)


def _earlier_plan(run: Run, file: Path, root: render.Root) -> Review:
    with run.progress.step("Reading the plan"):
        made_from = planfile.read(file)
        made = run.terraform.show(file)
        if ids := made.inputs.get("import_ids"):
            root = render.importing(root, ids)
            render.write(root, run.folder)
        binding.examine(
            made,
            made_from,
            registration=run.registration,
            root=root,
            lock_file=run.terraform.lock_file,
            state=run.terraform.state_version(),
        )
    return _review(run, made)


def _review(run: Run, made: Plan) -> Review:
    return Review(
        made,
        guard.judge(made, allow_destroy=run.settings.allow_destroy),
        run.registration.account_id,
        run.registration.account_name or "",
        run.account.account_type,
        run.linked.todo(),
    )


def _typed(run: Run, values: Mapping[str, object]) -> Outputs:
    if not values:
        raise EngineError(
            "nothing has been applied to this account yet",
            where=run.registration.account_id,
            hint="Run octo-tf apply.",
        )
    try:
        return Outputs.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        raise EngineError(
            f"the state's output {'.'.join(map(str, detail['loc']))} is not as this version of"
            f" octo-tf expects: {detail['msg']}",
            where=str(run.folder),
            hint="Run octo-tf apply: it brings the outputs up to date.",
        ) from None


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
    if linked and (new := run.octo.register_linked(linked)):
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
