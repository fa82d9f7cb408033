"""octo-tf console: register without Terraform, by links into the AWS console."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from orchestrator.cli import approval
from orchestrator.cli.context_loading import adopting_options, run_options
from orchestrator.cli.help import CommandGroup
from orchestrator.cli.octo import need_octo
from orchestrator.cli.option import FILE, option
from orchestrator.cli.results import end
from orchestrator.cli.shared_options import (
    JSON,
    OCTO,
    PRINCIPAL,
    REGISTRATION,
    VERIFYING,
    WORKDIR,
    setting_options,
)
from orchestrator.errors import ExitCode
from orchestrator.model.setting import Group

if TYPE_CHECKING:
    from orchestrator.app.console.launch_link import LaunchLink
    from orchestrator.app.context import AccountContext
    from orchestrator.stacks.steps import Step
    from orchestrator.stacks.templates import Name

_STEPS = click.Choice(["api-access", "cur", "stackset"])
_TEMPLATES = click.Choice(["api-access", "stackset", "cur", "cur-bucket"])

_BUCKET = option(
    "--template-bucket",
    metavar="BUCKET",
    help="A bucket of the account for the templates, so that links need no upload; later links use"
    " it too.",
)


@click.group(cls=CommandGroup, invoke_without_command=True)
@adopting_options(REGISTRATION, OCTO, PRINCIPAL, WORKDIR)
@_BUCKET
@click.pass_context
def command(
    ctx: click.Context,
    load_context: Callable[..., AccountContext],
    flags: dict[str, Any],
    template_bucket: str | None,
) -> ExitCode | None:
    """Register without Terraform, by links into the AWS console.

    Without a command, a wizard asks step by step; it can be left at any time and resumed later.
    Options that say what to register are written to octo.yaml, once you agree.
    """
    if ctx.invoked_subcommand is not None:
        given = [
            parameter.opts[0]
            for parameter in ctx.command.params
            if ctx.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        ]
        if given:
            raise click.UsageError(f"{given[0]} must come after {ctx.invoked_subcommand}")
        return None
    if not sys.stdin.isatty():
        raise click.UsageError(
            "nobody is here to answer: use octo-tf console link, check and finish"
        )
    from orchestrator.app import configuring
    from orchestrator.app.console.flow import begin
    from orchestrator.app.console.wizard import Wizard

    config: Path = ctx.params["config"]
    if not config.exists() and not ctx.params["account_id"]:
        from orchestrator.cli.commands import init

        click.echo("First, octo.yaml: the account to register.", err=True)
        init.command.main(["--config", str(config)], standalone_mode=False)
    context = load_context()
    wizard = Wizard(
        begin(context),
        _Terminal(),
        bucket=template_bucket,
        save=lambda settings: configuring.write(config, settings),
        announced=configuring.announce(config, flags),
        configure=lambda: configuring.write(config, flags),
    )
    report = wizard.run()
    if report is None:
        click.echo("Run octo-tf console again to continue.", err=True)
        return ExitCode.VERIFICATION_PENDING
    click.echo(
        "Without questions: octo-tf console link, octo-tf console check all --wait 10m,"
        " octo-tf console finish",
        err=True,
    )
    return end(context, report, {}, as_json=False)


@command.command()
@run_options(
    setting_options(
        "account_id", "region", "tags", Group.API_ACCESS, Group.CUR, Group.LINKED_ACCOUNTS
    )
)
@click.argument("name", type=_TEMPLATES)
@click.option(
    "--out",
    type=FILE,
    help="Write the template to this file, not to stdout.",
)
def template(context: AccountContext, name: Name, out: Path | None) -> None:
    """Show the CloudFormation template NAME, or write it to a file, without calling AWS."""
    from orchestrator.cli.results import write_report
    from orchestrator.model.module_contract.inputs import console_inputs
    from orchestrator.model.partition import partition_of_region
    from orchestrator.stacks import templates

    registration = context.registration
    partition = partition_of_region(registration.region)
    text = templates.render(name, console_inputs(registration), partition=partition)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_report(out, text.rstrip("\n"))
        click.echo(str(out))


@command.command()
@run_options(REGISTRATION, OCTO, WORKDIR, JSON)
@click.argument("step", type=_STEPS)
@_BUCKET
@option(
    "--octo-template",
    "octos_template",
    is_flag=True,
    help="Use Octo's own template for API access; the checks report what it grants beyond ours.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser too.")
def link(
    context: AccountContext,
    step: Step,
    template_bucket: str | None,
    octos_template: bool,
    opens: bool,
    as_json: bool,
) -> None:
    """Print the link that opens CloudFormation for STEP; the external id is in it.

    A step can have two links, to be used in this order: first that of a bucket in another region.
    """
    from orchestrator.app.console.flow import begin
    from orchestrator.app.console.launch_link import launch_link
    from orchestrator.stacks.steps import TRUSTED_ACCESS

    flow = begin(context)
    stacks = flow.stacks(step)  # refuses a step that the account does not have
    pages = [
        launch_link(flow, stack, bucket=template_bucket, octos_template=octos_template)
        for stack in stacks
    ]
    if not (registered := flow.payer_is_registered()):
        reason = "it is not known here" if registered is None else "it is not"
        context.events.warn(
            f"Octo wants the payer {flow.payer} registered before its linked accounts, and"
            f" {reason}."
        )
    if step == "stackset" and context.cloud.lacks_trusted_access():
        context.events.warn(TRUSTED_ACCESS)
    if as_json:
        click.echo(json.dumps([_as_json(page) for page in pages], indent=2))
    for page in pages:
        if not as_json:
            click.echo(page.url)
            _explain(page, context.registration.account_id)
        if opens:
            click.launch(page.url)


@command.command()
@run_options(VERIFYING, WORKDIR)
@click.argument("step", type=click.Choice([*_STEPS.choices, "all"]), default="all")
def check(context: AccountContext, step: Any, as_json: bool, reports: dict[str, Path]) -> ExitCode:
    """Check and confirm STEP, or all: the stack first, then the checks of octo-tf verify."""
    from orchestrator.app.console import check as checking
    from orchestrator.app.console.flow import begin

    flow = begin(context, registering=False)
    if step != "all":
        flow.stacks(step)  # refuses a step that the account does not have
        if step == "stackset":
            flow.wants_stackset = True
    chosen = flow.checked_steps() if step == "all" else (step,)
    report = checking.check(flow, chosen, wait_seconds=context.settings.wait_seconds)
    return end(context, report, reports, as_json=as_json)


@command.command()
@run_options(VERIFYING, WORKDIR)
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Register and enrol without asking.")
def finish(context: AccountContext, as_json: bool, reports: dict[str, Path], yes: bool) -> ExitCode:
    """Register the account with Octo, check everything, then Confirm and Finish.

    It asks before an account is registered that Octo does not know, or that left, and before the
    account is enrolled in the AWS services that its features need; without a terminal, only --yes
    enrols.
    """
    from orchestrator.app.console import check as checking
    from orchestrator.app.console.flow import begin
    from orchestrator.app.console.wizard import NOT_ENROLLED
    from orchestrator.model.outside_action import question_of

    flow = begin(context)
    if context.octo.api is not None and not flow.is_registered(flow.account.account_id):
        context.octo.check_payer(flow.account)
        approval.agree(f"Register account {flow.account.account_id} with Octo?", yes=yes)
        flow.register()
    if actions := flow.enrolments():
        for action in actions:
            click.echo(f"  > {action.summary}", err=True)
        if yes or approval.offers(question_of(actions)):
            flow.enrol(actions)
        else:
            context.events.warn(NOT_ENROLLED)
    wait = context.settings.wait_seconds
    report = checking.check(flow, flow.checked_steps(), wait_seconds=wait, finish=True)
    return end(context, report, reports, as_json=as_json)


@command.command()
@run_options(REGISTRATION, OCTO, WORKDIR, JSON)
@_BUCKET
@option("--target", metavar="ID", help="Deploy the stack's StackSet to this OU or root.")
@option(
    "--by-octo",
    is_flag=True,
    help="Have Octo update the stack, by the permissions that its own template gives its role.",
)
@option(
    "--yes",
    "-y",
    "--auto-approve",
    is_flag=True,
    help="Do not ask before Octo updates the stack, or confirms and registers linked accounts.",
)
def update(
    context: AccountContext,
    template_bucket: str | None,
    target: str | None,
    by_octo: bool,
    yes: bool,
    as_json: bool,
) -> ExitCode:
    """Update the stacks of API access in place, and have Octo confirm them; nothing is deleted.

    Shows what Octo's new template asks for, and prints the command of the AWS CLI that updates the
    stack; the StackSet's own stack is updated in the same way. Run it, then this command again:
    Octo confirms what is up to date. With --by-octo, Octo updates a stack of its own template
    itself, after your consent. Exit code 4 means that an update is still to be done. --json prints
    the stacks, their commands, what Octo's template asks for, and Octo's answer.
    """
    from orchestrator.app import outdated
    from orchestrator.app.console import update as updating
    from orchestrator.app.console.flow import begin
    from orchestrator.cli.console_update import Updating

    need_octo(context)
    flow = begin(context)
    updating.check_method(flow)
    if target is not None:
        updating.check_target(flow, target)
    found = outdated.find(context, flow.account)
    run = Updating(flow, found, bucket=template_bucket, yes=yes, as_json=as_json)
    code = run.access(target=target, by_octo=by_octo)
    if target is None:
        code = run.linked_accounts(code)
    if as_json:
        click.echo(json.dumps(run.document(), indent=2))
    return code


class _Terminal:
    """The prompter at a terminal."""

    def tell(self, text: str) -> None:
        click.echo(text, err=True)

    def show(self, link: LaunchLink) -> None:
        click.echo(link.url)

    def show_secret(self, secret: str) -> None:
        click.echo(secret)

    def open(self, url: str) -> None:
        click.launch(url)

    def choose(self, question: str, choices: Mapping[str, str]) -> str:
        for letter, meaning in choices.items():
            click.echo(f"    {letter}  {meaning}", err=True)
        chosen: str = click.prompt(
            question or "What now?", type=click.Choice([*choices]), show_choices=False, err=True
        )
        return chosen

    def answer(self, question: str, default: str) -> str:
        answer: str = click.prompt(question, default=default or None, err=True)
        return answer


def _as_json(page: LaunchLink) -> dict[str, Any]:
    return {
        "step": page.stack.step,
        "stack_name": page.stack.name,
        "region": page.stack.region,
        "url": page.url,
        "template_file": str(page.file) if page.file else None,
        "parameters": page.typed,
    }


def _explain(page: LaunchLink, account_id: str) -> None:
    lines = [f"Open it signed in to account {account_id}, region {page.stack.region}."]
    if page.file:
        lines += [f"Upload {page.file}; stack name {page.stack.name}; parameters:"]
        lines += [f"  {name}={value}" for name, value in page.typed.items()]
        lines += ["  ExternalId as Octo shows it"] if "ExternalId" in page.stack.parameters else []
    if page.stack.template != "cur-bucket":
        lines += ["Tick that IAM resources with custom names may be created."]
    click.echo("\n".join(lines), err=True)
