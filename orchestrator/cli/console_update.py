"""Output and questions of ``octo-tf console update``: API access first, then the StackSet."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import Any

import click

from orchestrator.app.console import update as updating
from orchestrator.app.console import update_stackset
from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.app.console.update import StackUpdate
from orchestrator.cli import approval
from orchestrator.errors import ExitCode
from orchestrator.model.octo_records import OctoAnswer
from orchestrator.model.outdated_access import OutdatedAccess
from orchestrator.model.words import listed
from orchestrator.octo import history
from orchestrator.report.history import outdated_lines

_SHOWN = 10  # accounts that a sentence names


class Updating:
    """The updates of one account's stacks: of API access, then of the StackSet.

    Args:
        flow: the account's console flow.
        found: what Octo's template asks for; None if Octo does not call the access outdated.
        bucket: a bucket of the account for templates.
        yes: whether the user consented already.
        as_json: whether a JSON document is printed instead of commands.
    """

    def __init__(
        self,
        flow: ConsoleFlow,
        found: OutdatedAccess | None,
        *,
        bucket: str | None,
        yes: bool,
        as_json: bool,
    ) -> None:
        self._flow = flow
        self._found = found
        self._bucket = bucket
        self._yes = yes
        self._as_json = as_json
        self._stack: StackUpdate | None = None
        self._stackset: StackUpdate | None = None
        self._answer: OctoAnswer | None = None

    def access(self, *, target: str | None, by_octo: bool) -> ExitCode:
        """Bring the stack of API access up to date, or show how; see the command."""
        flow, found = self._flow, self._found
        if found is None and target is None:
            click.echo("Octo does not call the account's access outdated.", err=True)
            return ExitCode.DONE
        url = found.template_url if found else ""
        planned = updating.plan(flow, template_url=url, target=target, bucket=self._bucket)
        self._stack = planned
        click.echo("\n".join(outdated_lines(found) if found else ()), err=True)
        if planned.has_target and found is None:
            question = "Have Octo register the linked accounts that the stack's StackSet reaches?"
            approval.agree(question, yes=self._yes)
            return self._confirm(with_stackset=True)
        if found and target is None and self._confirm() is ExitCode.DONE:
            return ExitCode.DONE  # what was missing has been granted since
        if planned.stack.is_ours and found:  # octo-tf's template grants what octo.yaml says
            click.echo("\n".join(history.granting(found)), err=True)
        if not by_octo:
            return self._show(planned, "stack")
        updating.check_by_octo(planned, target)
        approval.agree(
            f"Have Octo update the stack {planned.stack.name} ({planned.stack.region}) in place?",
            yes=self._yes,
        )
        with flow.context.events.step("update", "Octo updates the stack"):
            updating.by_octo(flow, planned)
        return self._confirm()

    def linked_accounts(self, code: ExitCode) -> ExitCode:
        """Show how to update the StackSet's stack, or have Octo confirm the accounts it deploys to.

        Args:
            code: the exit code of the update of API access; Octo is asked only if it is 0.
        """
        planned = update_stackset.plan_stackset(self._flow, bucket=self._bucket)
        if planned is not None:
            self._stackset = planned
            pending = self._show(planned, "stackset")
            return pending if code is ExitCode.DONE else code
        accounts = update_stackset.outdated_accounts(self._flow) if code is ExitCode.DONE else ()
        if not accounts:
            return code
        named = listed(accounts, _SHOWN)
        click.echo(f"Octo calls the access of linked accounts outdated: {named}.", err=True)
        question = "Have Octo confirm, and register, the linked accounts that the StackSet reaches?"
        approval.agree(question, yes=self._yes)
        if (code := self._confirm(with_stackset=True)) is not ExitCode.DONE:
            return code
        if left := update_stackset.outdated_accounts(self._flow):
            click.echo(
                f"Octo still calls {len(left)} of the linked accounts outdated: Octo's template"
                " asks for more than their StackSet deploys. If the StackSet is of octo-tf's"
                " template, add what is missing to octo.yaml (features, stackset_features,"
                " additional_actions).",
                err=True,
            )
            return ExitCode.VERIFICATION_PENDING
        return code

    def document(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "outdated": asdict(self._found) if self._found else None,
            "stack": _as_json(self._stack),
            "stackset": _as_json(self._stackset),
            "octo": self._answer.model_dump(mode="json") if self._answer else None,
        }

    def _show(self, planned: StackUpdate, name: str) -> ExitCode:
        if not self._as_json:
            click.echo(shlex.join(planned.command))
        click.echo(
            f"{f'Run the `command` of `{name}` in the JSON, or' if self._as_json else 'Or'} open"
            f" the stack {planned.stack.name} in {planned.stack.region} in the AWS console, choose"
            " Update, then Make a direct update, and enter the same template and parameters:"
            f" {planned.page}\nThen run octo-tf console update again.",
            err=True,
        )
        return ExitCode.VERIFICATION_PENDING

    def _confirm(self, *, with_stackset: bool = False) -> ExitCode:
        """Have Octo confirm an updated stack, and say what it answers."""
        flow = self._flow
        with flow.context.events.step("confirm", "Confirming with Octo"):
            answer = flow.context.octo.confirm_again(
                flow.account, flow.account_name, with_stackset=with_stackset
            )
        self._answer = answer
        if answer.state == "confirmed" and not answer.outdated:
            click.echo("Confirmed by Octo: the account's access is up to date.", err=True)
            return ExitCode.DONE
        state = "outdated" if answer.outdated else answer.state.replace("_", " ")
        click.echo(
            f"Octo has not confirmed the access of account {flow.account.account_id} ({state})."
            f" {answer.reason.rstrip('.')}. {answer.hint}",
            err=True,
        )
        refused = answer.state == "refused"
        return ExitCode.VERIFICATION_FAILED if refused else ExitCode.VERIFICATION_PENDING


def _as_json(planned: StackUpdate | None) -> dict[str, Any] | None:
    if planned is None:
        return None
    return {
        "name": planned.stack.name,
        "stack_id": planned.stack.stack_id,
        "region": planned.stack.region,
        "command": planned.command,
        "page": planned.page,
    }
