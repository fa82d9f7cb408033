"""octo-tf destroy: leave Octo: delete what was made in AWS, then unregister the account."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import approval
from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.option import option
from orchestrator.cli.results import write_reports
from orchestrator.cli.shared_options import JSON, OCTO, PLAN_REPORT, REGISTERED, TERRAFORM
from orchestrator.errors import ExitCode, WrongAccount

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.app.leaving import Leaving


@click.command(cls=Command)
@run_options(REGISTERED, OCTO, TERRAFORM, PLAN_REPORT, JSON)
@option("--plan-only", is_flag=True, help="Show what would be done, and do nothing.")
@option("--keep-linked-roles", is_flag=True, help="Keep the role in the linked accounts.")
@option("--delete-bucket", is_flag=True, help="Delete the bucket too, if it is empty.")
@option("--delete-data", is_flag=True, help="Delete its data too; asks for the bucket's name.")
@option(
    "--with-enrolments",
    is_flag=True,
    help="Also end the enrolments in AWS services that octo-tf made.",
)
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Do not ask; needs --confirm-account.")
@option("--confirm-account", metavar="ID", help="With --yes: the account that leaves.")
@option("--confirm-bucket", metavar="NAME", help="With --yes: the bucket whose data is deleted.")
def command(
    context: AccountContext,
    as_json: bool,
    reports: dict[str, Path],
    plan_only: bool,
    keep_linked_roles: bool,
    delete_bucket: bool,
    delete_data: bool,
    with_enrolments: bool,
    yes: bool,
    confirm_account: str | None,
    confirm_bucket: str | None,
) -> ExitCode:
    """Leave Octo: delete what was made in AWS, then unregister the account.

    The mirror of apply: shows the plan and asks for the account's id. The bucket and its data stay
    unless --delete-bucket is given. After an interruption, the same command continues. If stacks of
    the console path made the resources, it lists them in the order in which you delete them.
    """
    from orchestrator import report
    from orchestrator.app import destroy as route
    from orchestrator.app.owned import Request

    account_id = context.registration.account_id
    if delete_data and not delete_bucket:
        raise click.UsageError("--delete-data goes with --delete-bucket")
    if yes and confirm_account is None:
        raise click.UsageError(f"--yes needs the account's id: --confirm-account {account_id}")
    if yes and delete_data and confirm_bucket is None:
        raise click.UsageError("--yes with --delete-data needs the bucket: --confirm-bucket NAME")
    if confirm_account not in (None, account_id):
        raise WrongAccount(
            f"--confirm-account names account {confirm_account}: nothing was changed",
            where=account_id,
            hint="Check which account is to leave: octo.yaml, --config and --account-id say it.",
        )
    request = Request(keep_linked_roles, delete_bucket, delete_data, with_enrolments)
    if plan_only:
        leaving = route.plan(context, request)
    else:
        given = (confirm_account, confirm_bucket) if yes else (None, None)
        leaving = route.destroy(context, request, consent=_consent(*given))
    write_reports(context, reports, review=leaving.review)
    if as_json:
        click.echo(report.render_plan(leaving.review, "json"))
    if plan_only:
        leaving.review.verdict.enforce()
        click.echo(_text(leaving), err=as_json)
    elif leaving.stacks or not leaving.review.has_changes:
        click.echo(_text(leaving), err=True)
    else:
        click.echo("\n".join([f"Account {account_id} has left.", *_stays(leaving)]), err=True)
    return ExitCode.VERIFICATION_PENDING if leaving.stacks else ExitCode.DONE


def _consent(account: str | None, bucket: str | None) -> Callable[[Leaving], None]:
    """Give the questions before an account leaves: its id, and the bucket whose data is deleted."""

    def ask(leaving: Leaving) -> None:
        click.echo(_text(leaving), err=True)
        approval.typed(
            "Type the account id to confirm",
            leaving.review.account_id,
            given=account,
            instead="--yes --confirm-account ID",
        )
        if leaving.bucket is not None and leaving.bucket.with_data:
            approval.typed(
                "Type the bucket's name to delete its data",
                leaving.bucket.name,
                given=bucket,
                instead="--yes --confirm-account ID --confirm-bucket NAME",
            )

    return ask


def _text(leaving: Leaving) -> str:
    """What is to be done, in words: by octo-tf, or where stacks made the resources, by hand."""
    from orchestrator import report

    if leaving.stacks:
        lines = ["Delete these stacks in the AWS console, one after another, in this order:"]
        for number, stack in enumerate(leaving.stacks, 1):
            lines.append(f"  {number}. {stack.name} ({stack.region}, {stack.status})")
            lines += [f"     {text}" for text in (*stack.reasons, stack.url)]
        lines.append("Then run octo-tf destroy again, which unregisters the account.")
    elif leaving.review.has_changes:
        lines = [report.render_plan(leaving.review, "text")]
    else:
        lines = [f"Nothing to do: account {leaving.review.account_id} has nothing to delete."]
    return "\n".join([*lines, *_stays(leaving)])


def _stays(leaving: Leaving) -> list[str]:
    return ["Stays:", *(f"  {sentence}" for sentence in leaving.stays)] if leaving.stays else []
