"""octo-tf adopt: adopt what the published module, the console or a person created."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli import approval
from orchestrator.cli.groups import ENABLE_ACCESS, TERRAFORM, VERIFYING
from orchestrator.cli.help import Command
from orchestrator.cli.option import option
from orchestrator.cli.options import adopting_options, end
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.adoption.hcl import Theirs
    from orchestrator.adoption.proposal import Proposal
    from orchestrator.adoption.release import Held
    from orchestrator.app.context import AccountContext
    from orchestrator.terraform.client import Terraform


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
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
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
    account are adopted as they are. Writes octo.yaml, imports and verifies the resources without
    replacing any, compares them with before, and removes them from the old state.
    """
    from orchestrator import report
    from orchestrator.adoption import subject
    from orchestrator.app import adopt as adoption
    from orchestrator.app.plan import plan
    from orchestrator.model.outside_action import CONFIGURE, OutsideAction

    config: Path = ctx.params["config"]

    def read() -> subject.Subject:
        return subject.read(
            config,
            flags,
            folder,
            dict(os.environ),
            module=module,
            var_files=list(var_files),
            tf_path=ctx.params["tf_path"],
        )

    found = read()
    ours = adoption.names_in_state(load_context()) if config.exists() else frozenset()
    _show(found.proposal, remove, ours)
    # Exactly what was shown may go: something that comes in between is refused.
    removals = frozenset(removal.key for removal in found.proposal.removals)
    consented = purge_policies or plan_only or _agrees(found.proposal, yes=yes)
    adoption.check(found.proposal, remove=remove, release=stacks, purge=consented)
    if stacks and not plan_only:
        approval.agree(f"Release and delete the stacks {', '.join(stacks)}?", yes=yes)
        adoption.release_stacks(found.aws, found.inventory, stacks)
        found = read()
    proposal, held = found.proposal, found.held
    context = load_context(
        defaults={} if config.exists() else dict(found.settings),
        adopting=True,
        accepted_removals=removals,
    )
    if plan_only:
        review = plan(context)
        review.plan.file.unlink(missing_ok=True)
        click.echo(report.render_plan(review, "json" if as_json else "text"))
        review.verdict.enforce()
        return ExitCode.DONE
    result = adoption.adopt(
        context,
        found.inventory,
        proposal,
        consent=approval.consent(yes=yes),
        configure=lambda: subject.write_config(config, found, flags),
        configuring=()
        if config.exists()
        else (OutsideAction(CONFIGURE, str(config), f"Write {config}."),),
    )
    with context.locked():
        subject.write_config(config, found, flags)
        if removed := _removed(context, remove, yes=yes):
            click.echo(f"Removed: {', '.join(removed)}.", err=True)
        released = False
        if held.addresses and found.terraform is not None and not keep_old_state:
            released = _released(context, found.terraform, held, yes=yes)
    if not (result.review.has_changes or removed or released):
        click.echo("Nothing to adopt: everything is octo-tf's already.", err=True)
    elif result.kept:
        click.echo(f"The same as before: {', '.join(result.kept)}.", err=True)
    if found.theirs is not None:
        _say_what_is_left(found.theirs, held, released=released)
    return end(result.report, reports, as_json=as_json)


def _show(proposal: Proposal, remove: tuple[str, ...], ours: frozenset[str]) -> None:
    """What adoption is about, before anything is asked."""
    for what in proposal.adopted:
        if what.partition(" ")[2] not in ours:
            click.echo(f"Takes over: {what}", err=True)
    for removal in proposal.removals:
        click.echo(f"Would go: {removal}", err=True)
    for leftover in proposal.leftovers:
        fate = "is removed" if leftover.role in remove else "stays as it is"
        can = f"; it can do this: {', '.join(leftover.can)}" if leftover.can else ""
        click.echo(f"Not carried over: role {leftover.role} {fate}{can}", err=True)
    for warning in proposal.warnings:
        click.echo(f"Note: {warning}", err=True)


def _agrees(proposal: Proposal, *, yes: bool) -> bool:
    """Whether a person agrees that what would go may go; --yes alone does not mean it."""
    if not proposal.removals or yes or not sys.stdin.isatty():
        return False
    return click.confirm(f"May these {len(proposal.removals)} go?", err=True)


def _removed(context: AccountContext, names: tuple[str, ...], *, yes: bool) -> list[str]:
    from orchestrator.app import adopt as adoption

    if not names:
        return []
    approval.agree(f"Delete the roles {', '.join(names)}?", yes=yes)
    return adoption.remove_roles(context, names)


def _released(context: AccountContext, terraform: Terraform, held: Held, *, yes: bool) -> bool:
    from orchestrator.adoption import release

    click.echo(f"In {terraform.folder}, nothing is destroyed by this:", err=True)
    for line in held.commands:
        click.echo(f"  {line}", err=True)
    approval.agree("Have that state let go of them?", yes=yes)
    copy = release.let_go(terraform, held, context.folder)
    click.echo(f"The state as it was: {copy}", err=True)
    if held.others:
        click.echo(f"{held.others} other resources stay in that state.", err=True)
    return True


def _say_what_is_left(theirs: Theirs, held: Held, *, released: bool) -> None:
    what = f"the block {theirs.address}" if theirs.address else "the module's .tf files"
    if held.addresses and not released:
        click.echo(
            f"Until {theirs.folder} lets go of its {len(held.addresses)} resources, a terraform"
            " destroy there would delete them. Run in that folder:",
            err=True,
        )
        for line in held.commands:
            click.echo(f"  {line}", err=True)
    if theirs.where:
        click.echo(
            f"Now take {what} out ({theirs.where}): a terraform apply there would make everything"
            " again, and fail because it is there.",
            err=True,
        )
