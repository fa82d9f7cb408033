"""octo-tf rotate-external-id: change the external id without a moment in which Octo is refused."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import approval
from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.option import FILE, option
from orchestrator.cli.results import end
from orchestrator.cli.shared_options import ACCOUNT, JSON, OCTO, PRINCIPAL, REPORT, TERRAFORM, WAIT
from orchestrator.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from pydantic import SecretStr

    from orchestrator.app.context import AccountContext
    from orchestrator.app.rotation import Rotated

_VARIABLE = "OCTO_TF_NEW_EXTERNAL_ID"
_WHICH = {
    "accepting": "the present and the new id, in any order.",
    "waiting": "the new id.",
    "dropping": "the new id.",
    "put_back": "the present and the new id, in any order.",
}
_NEXT = {
    "accepting": "Not every role accepts both external ids: do not have it changed in Octo yet."
    " Correct what the checks say, then run octo-tf rotate-external-id again.",
    "waiting": "Every role accepts both external ids. Have Octo's support change it to the new one"
    " (it changes for all accounts of this API client at once: run this command for each of them"
    " first). Then run octo-tf rotate-external-id again",
    "dropping": "The previous external id is not dropped everywhere, or Octo has not confirmed:"
    " run octo-tf rotate-external-id again.",
    "put_back": "Octo is refused with the new external id alone, so every role accepts both again."
    " Ask Octo's support which id it presents, then run octo-tf rotate-external-id again.",
    "done": "The external id is changed: every role accepts the new one alone.",
}


@click.command("rotate-external-id", cls=Command)
@click.argument("new", required=False, envvar=_VARIABLE)
@run_options(ACCOUNT, OCTO, PRINCIPAL, WAIT, REPORT, JSON, TERRAFORM)
@option(
    "--new-external-id-file",
    metavar="FILE",
    type=FILE,
    help="The file that holds the new external id; a pipe is accepted.",
)
@option(
    "--new-external-id-env",
    metavar="VARIABLE",
    help="The environment variable that holds the new external id.",
)
@option(
    "--octo-has-changed",
    is_flag=True,
    help="Octo presents the new id; needed only without credentials for its API.",
)
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Apply without asking.")
@click.pass_context
def command(
    ctx: click.Context,
    context: AccountContext,
    as_json: bool,
    reports: dict[str, Path],
    new: str | None,
    new_external_id_file: Path | None,
    new_external_id_env: str | None,
    octo_has_changed: bool,
    yes: bool,
) -> ExitCode:
    """Change the external id without a moment in which Octo is refused.

    First every role accepts the present and the NEW id, and the command ends with exit code 4. Once
    Octo presents the new one, run it again, without NEW: the previous id is dropped, and Octo
    confirms; if Octo is refused, both are accepted again. NEW as an argument is visible to other
    users of this machine: prefer a file, a variable or the prompt.
    """
    from orchestrator.app.rotate import rotate
    from orchestrator.app.rotation import Request

    config: Path = ctx.params["config"]
    if not config.exists():
        raise ConfigError(
            "does not exist: octo-tf keeps both external ids in it during a rotation",
            where=str(config),
            hint="Write it with octo-tf init, or name it with --config.",
        )
    wanted = _new_id(context, new, new_external_id_file, new_external_id_env)
    rotated = rotate(
        context,
        Request(wanted, octo_has_changed),
        config=config,
        consent=approval.consent(yes=yes, instead="--yes"),
    )
    code = ExitCode.VERIFICATION_PENDING
    try:
        if rotated.report is not None:
            code = end(context, rotated.report, reports, as_json=as_json, review=rotated.review)
    finally:
        click.echo(_words(context, rotated), err=True)
    return _exit_code(rotated, code)


def _words(context: AccountContext, rotated: Rotated) -> str:
    """Say how far the rotation is, and what comes next."""
    if rotated.stacks:
        return "\n".join(_stacks(rotated))
    words = _NEXT[rotated.phase]
    if rotated.phase == "waiting":
        words += "." if context.octo.api else " with --octo-has-changed."
    elif rotated.phase == "done" and context.octo.api is None:
        words += (
            " Check and Confirm in Octo. If Octo is refused there, run this command with the"
            " previous id: both are accepted at once."
        )
    return words


def _stacks(rotated: Rotated) -> list[str]:
    """List the stacks to update in the AWS console, in order, with what to fill in."""
    lines = ["Update these stacks in the AWS console, one after another:"]
    if rotated.phase == "put_back":
        lines.insert(0, "Octo is refused with the new external id alone: accept both again.")
    for number, stack in enumerate(rotated.stacks, 1):
        lines += [f"  {number}. {stack.name} ({stack.region}, {stack.status})", f"     {stack.url}"]
        how = (
            f"replace the template by {stack.template}"
            if stack.template
            else ("use the current template")
        )
        lines.append(f"     Update, {how}; {', '.join(stack.parameters)}: {_WHICH[rotated.phase]}")
    if rotated.phase == "waiting":
        lines.append(
            "These were made from Octo's own template, which takes one external id: update them"
            " when it is changed in Octo. Between the two changes, Octo is refused there."
        )
    lines.append(
        "external_id_rotation in octo.yaml says where both ids are, the new one last. Acknowledge"
        " that IAM resources with custom names may be created."
    )
    if rotated.phase == "put_back":
        lines.append("Ask Octo's support which external id it presents.")
    return [*lines, "Then run octo-tf rotate-external-id again."]


def _exit_code(rotated: Rotated, of_report: ExitCode) -> ExitCode:
    if rotated.phase == "done":
        return of_report
    if rotated.phase == "put_back":
        return ExitCode.VERIFICATION_FAILED
    if rotated.phase == "waiting" or of_report is ExitCode.DONE:
        return ExitCode.VERIFICATION_PENDING
    return of_report


def _new_id(
    context: AccountContext, given: str | None, file: Path | None, variable: str | None
) -> SecretStr | None:
    """Read the new id from where it was given, or ask for it; None goes on with a rotation."""
    from pydantic import SecretStr

    from orchestrator.config.load import mistake, read_external_id
    from orchestrator.redaction import keep_out

    if sum(source is not None for source in (given, file, variable)) > 1:
        raise click.UsageError(
            "NEW, --new-external-id-file and --new-external-id-env: give one of them"
        )
    where = "NEW"
    if file is not None:
        where = "--new-external-id-file"
        given = read_external_id("new_external_id_file", str(file), os.environ)
    elif variable is not None:
        where = "--new-external-id-env"
        given = read_external_id("new_external_id_env", variable, os.environ)
    elif given is None and not context.registration.accepted_external_ids and sys.stdin.isatty():
        given = str(click.prompt("The new external id (not echoed)", hide_input=True, err=True))
    if given is None:
        return None
    keep_out(given)
    if wrong := mistake({"external_id": given}, "external_id"):
        raise ConfigError(wrong, where=where)
    return SecretStr(given)
