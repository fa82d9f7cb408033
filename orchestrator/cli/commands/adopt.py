"""octo-tf adopt: adopt what the published module, the console or a person created."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli import approval
from orchestrator.cli.context_loading import adopting_options, names_in_state
from orchestrator.cli.help import Command
from orchestrator.cli.octo import octo_external_id
from orchestrator.cli.option import EXISTING_FILE, option
from orchestrator.cli.reading import show
from orchestrator.cli.results import end, write_reports
from orchestrator.cli.session import Session
from orchestrator.cli.shared_options import ENABLE_ACCESS, TERRAFORM, VERIFYING
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.adoption.candidate import Candidate
    from orchestrator.adoption.proposal import Proposal
    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@adopting_options(VERIFYING, ENABLE_ACCESS, TERRAFORM)
@click.argument(
    "folder",
    metavar="PATH",
    required=False,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@click.option("--module", metavar="NAME", help="The block of the module, if PATH has several.")
@click.option(
    "--var-file",
    "var_files",
    type=EXISTING_FILE,
    multiple=True,
    help="The values of the variables in PATH. Repeat for several.",
)
@click.option(
    "--purge-policies",
    is_flag=True,
    help="Accept the removals from roles and bucket that are listed.",
)
@click.option(
    "--remove-role",
    "remove",
    metavar="NAME",
    multiple=True,
    help="Delete this role, which the module does not need. Repeat for several.",
)
@click.option(
    "--release-stack",
    "stacks",
    metavar="NAME",
    multiple=True,
    help="Delete this stack but keep its resources. Repeat for several.",
)
@click.option("--plan-only", is_flag=True, help="Show the plan and change nothing.")
@click.option("--keep-old-state", is_flag=True, help="Leave the state in PATH as it is.")
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Adopt without asking.")
@click.pass_context
def command(
    ctx: click.Context,
    load_context: Callable[..., AccountContext],
    flags: dict[str, Any],
    folder: Path | None,
    module: str | None,
    var_files: tuple[Path, ...],
    purge_policies: bool,
    remove: tuple[str, ...],
    stacks: tuple[str, ...],
    plan_only: bool,
    keep_old_state: bool,
    as_json: bool,
    yes: bool,
    reports: dict[str, Path],
) -> ExitCode:
    """Adopt what the published module, the console or a person created.

    PATH holds the .tf files that use the published module; without it, the resources in the
    account are adopted as they are. One plan shows every change, and one question follows; then
    the resources are imported, verified, compared with before, and removed from the old state.
    """
    from orchestrator import report
    from orchestrator.adoption import foreign_state
    from orchestrator.adoption.candidate import Folder, read_candidate
    from orchestrator.app import adopt as adoption
    from orchestrator.cli.feature_questions import ask_kept

    lacking = sorted(reports.keys() - report.formats_of_run("plan")) if plan_only else []
    if lacking:
        raise click.UsageError(
            f"--plan-only verifies nothing, so there is no --report {', '.join(lacking)}"
        )
    config: Path = ctx.params["config"]
    environ, tf_path = dict(os.environ), ctx.params["tf_path"]
    read = partial(
        read_candidate,
        config,
        folder=Folder(folder, environ, module, var_files, tf_path, keep_old_state)
        if folder
        else None,
        environ=environ,
        names_in_state=names_in_state(ctx, load_context),
        ask_octo=octo_external_id(ctx, flags),
        cancellation=Session.current().cancellation,
    )
    candidate = read(flags)
    today, chosen = candidate.proposal.today, {}
    if today and sys.stdin.isatty() and not (yes or plan_only):
        chosen = ask_kept(today, candidate.proposal.settings)
    if chosen:
        flags = {**flags, **chosen}
        candidate = read(flags, aws=candidate.aws)
    request = adoption.Request(
        config, {**candidate.settings, **flags}, remove, stacks, not keep_old_state
    )
    _show(candidate, remove)
    accepted = purge_policies or plan_only or _accepts_removals(candidate.proposal, yes=yes)
    for note in adoption.check(candidate, request, purge=accepted):
        click.echo(f"Note: {note}", err=True)
    context = load_context(defaults={**candidate.settings, **chosen})
    if plan_only:
        review = adoption.plan(context, candidate, request)
        write_reports(context, reports, review=review)
        show(report.render_plan(review, "json" if as_json else "text"))
        review.verdict.enforce()
        return ExitCode.DONE
    result = adoption.adopt(
        context, candidate, request, consent=approval.consent(yes=yes, instead="--yes")
    )
    if not result.review.has_changes:
        click.echo("Nothing to adopt: octo-tf manages everything already.", err=True)
    elif result.kept:
        click.echo(f"Kept as it was: {', '.join(result.kept)}.", err=True)
    if result.copy:
        click.echo(f"A copy of the old state: {result.copy}", err=True)
    _show_remaining_steps(
        candidate,
        released=result.copy is not None,
        ever_released=foreign_state.has_released(context.folder),
    )
    return end(context, result.report, reports, as_json=as_json, review=result.review)


def _show(candidate: Candidate, removed: tuple[str, ...]) -> None:
    """Show what is adopted and what is not, before anything is asked."""
    proposal = candidate.proposal
    for resource in proposal.adopted:
        if resource.partition(" ")[2] not in candidate.managed:
            click.echo(f"Adopts: {resource}", err=True)
    for removal in proposal.removals:
        click.echo(f"Removes: {removal}", err=True)
    for role in proposal.leftovers:
        fate = "is deleted" if role.name in removed else "stays as it is"
        fate += f" (for the feature {role.feature}, which is not chosen)" if role.feature else ""
        risks = f"; its risks: {', '.join(role.risks)}" if role.risks else ""
        click.echo(f"Not managed by octo-tf: role {role.name} {fate}{risks}", err=True)
    for note in filter(None, [*proposal.warnings, candidate.inventory.stack_search]):
        click.echo(f"Note: {note}", err=True)
    module, state = candidate.module, candidate.state
    if module and module.where and state.is_read and not state.addresses:
        what = module.address or "the module"
        click.echo(
            f"Note: The state in {module.folder} has no resource of {what} ({module.where}).",
            err=True,
        )


def _accepts_removals(proposal: Proposal, *, yes: bool) -> bool:
    """Ask whether the removals may be made; --yes alone does not accept them."""
    count = len(proposal.removals)
    if not count or yes or not sys.stdin.isatty():
        return False
    return click.confirm(
        f"Accept {'this removal' if count == 1 else f'these {count} removals'}?", err=True
    )


def _show_remaining_steps(candidate: Candidate, *, released: bool, ever_released: bool) -> None:
    """Show what the user has to do in the old Terraform folder."""
    module, state = candidate.module, candidate.state
    if module is None:
        return
    if commands := [] if released else state.commands(module):
        count = len(state.addresses)
        holds = f"still has {count} of the adopted resources" if state.is_read else "was not read"
        click.echo(
            f"The state in {module.folder} {holds}: terraform destroy there would delete what it"
            " holds. Run in that folder:",
            err=True,
        )
        for line in commands:
            click.echo(f"  {line}", err=True)
    if not module.where:
        return
    what = f"the block {module.address}" if module.address else "the .tf files of the module"
    if module.is_repeated:
        what = f"this account from the for_each or count that leads to {module.address}"
    if ever_released or commands:
        click.echo(
            f"Now remove {what} ({module.where}): terraform apply there would create everything"
            " again, and fail because it exists.",
            err=True,
        )
    else:
        click.echo(
            f"Keep {what} ({module.where}) for now: the state in {module.folder} has no resource of"
            " it. The adopted resources are in another state, whose destroy would delete them, or"
            " in none. Check its other workspaces and backends, and adopt with the one that has"
            " them. terraform apply there would fail, because everything exists.",
            err=True,
        )
