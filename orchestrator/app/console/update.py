"""Update the stack of API access in place: by Octo's newest template, or with another target.

Octo's pages say to delete the stack and its StackSet, and to begin again; an update keeps both, and
Octo's access with them. Source: CloudFormation API Reference, UpdateStack: a parameter that is not
named has the default of the template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.app.console.launch_link import launch_link
from orchestrator.aws.errors import explained
from orchestrator.detection import stackset_template
from orchestrator.errors import ConfigError, OctoError, OctoTfError, Pending, Refused
from orchestrator.model.aws_cli import aws_command, aws_line
from orchestrator.stacks import links
from orchestrator.stacks.observed import ROLLBACK_FAILED, UPDATE_FAILED, ObservedStack
from orchestrator.stacks.steps import ExpectedStack, check_step

_VERSION, _TARGET = "TemplateVersion", "TargetOrganizationId"
_SECONDS = 900.0
_PAUSE_SECONDS = 2.0
_ONCE_ENDED = "Run octo-tf console update once CloudFormation has finished."


@dataclass(frozen=True)
class StackUpdate:
    """An update of a stack.

    Attributes:
        template: the options of ``aws cloudformation update-stack`` that name the template.
        kept: the parameters that keep their values.
        given: the values of the others; those of the template's defaults are not among them.
        profile: the AWS profile of the account; None for the environment's credentials.
        page: the stack's page in the AWS console; *Update*, *Make a direct update* is there.
        has_target: whether the stack has been deployed with the target that is asked for.
    """

    stack: ObservedStack
    template: tuple[str, ...]
    kept: tuple[str, ...]
    given: Mapping[str, str] = field(default_factory=dict)
    profile: str | None = None
    page: str = ""
    has_target: bool = False

    @property
    def command(self) -> tuple[str, ...]:
        """The command of the AWS CLI that carries it out, with the account's own credentials."""
        parameters = [f"ParameterKey={name},UsePreviousValue=true" for name in self.kept]
        parameters += [f"ParameterKey={n},ParameterValue={v}" for n, v in self.given.items()]
        return aws_command(
            *("cloudformation", "update-stack", "--stack-name", self.stack.stack_id),
            *self.template,
            *(("--parameters", *parameters) if parameters else ()),
            *("--capabilities", "CAPABILITY_NAMED_IAM"),
            profile=self.profile,
            region=self.stack.region,
        )


def plan(
    flow: ConsoleFlow, *, template_url: str, target: str | None = None, bucket: str | None = None
) -> StackUpdate:
    """Plan the update of the stack that made the API access role; nothing is changed.

    Args:
        template_url: Octo's newest template, for a stack of Octo's; empty keeps its template.
        target: the OU or root to which the stack's StackSet is deployed; None keeps it.
        bucket: a bucket of the account for octo-tf's template, for a stack of that.

    Raises:
        ConfigError: there is no such stack, its template takes no target, or the address of the AWS
            console in the account's partition is not known.
        Pending: the stack is being changed.
        Refused: the stack's last change failed.
    """
    (expected,) = flow.stacks("api-access")
    stack = find_stack(flow, expected)
    if not template_url:
        return _planned(flow, stack, ("--use-previous-template",), "", target)
    if stack.is_ours:
        return plan_own(flow, expected, stack, bucket=bucket, target=target)
    text = flow.context.cloud.read_public_template(template_url)
    return _planned(flow, stack, ("--template-url", template_url), text, target)


def plan_own(
    flow: ConsoleFlow,
    expected: ExpectedStack,
    stack: ObservedStack,
    *,
    bucket: str | None = None,
    target: str | None = None,
) -> StackUpdate:
    """Plan the update of a stack of octo-tf's template to what octo.yaml says; see ``plan``."""
    link = launch_link(flow, expected, bucket=bucket)
    options = _own_template(link.url, str(link.file or ""))
    return _planned(flow, stack, options, flow.template(expected.template), target)


def _planned(
    flow: ConsoleFlow,
    stack: ObservedStack,
    options: tuple[str, ...],
    text: str,
    target: str | None,
) -> StackUpdate:
    """Keep each parameter that the new template has too; ``text`` is empty for the present one."""
    with explained(f"reading the stack {stack.name}"):
        deployed = flow.context.cloud.stack_parameters(stack.stack_id, stack.region)
    declared = dict[str, Any]({name: {"Default": ""} for name in deployed})
    if text:
        declared = dict((stackset_template.parse(text) or {}).get("Parameters") or {})
    given = {} if target is None else {_TARGET: target}
    if given.keys() - declared.keys():
        raise ConfigError(
            f"the template of the stack {stack.name} takes no {_TARGET}",
            where="--target",
            hint="Deploy the StackSet by itself: octo-tf console link stackset.",
        )
    kept = [name for name in declared if name in deployed and name not in {_VERSION, *given}]
    wanted = [n for n, p in declared.items() if n not in {*kept, *given} and "Default" not in p]
    return StackUpdate(
        stack,
        options,
        tuple(kept),
        {**given, **dict.fromkeys(wanted, "VALUE")},
        flow.registration.credentials.cli_profile,
        links.stack_page(stack.region, stack.stack_id, flow.partition),
        target is not None and deployed.get(_TARGET) == target,
    )


def find_stack(flow: ConsoleFlow, expected: ExpectedStack) -> ObservedStack:
    """Find the stack that made the API access role.

    Raises:
        ConfigError: no region has one.
        Pending: the stack is being changed.
        Refused: the stack's last change failed.
    """
    stack = flow.describe(expected)
    where = f"account {flow.account.account_id}, {stack.region or expected.region}"
    if stack.state == "absent":
        raise ConfigError(
            f"no stack made {expected.main_resource}",
            where=f"account {flow.account.account_id}, in the regions that octo-tf may read",
            hint="If no stack was deployed yet, run octo-tf console link api-access. If Terraform"
            " created the role, octo-tf status shows what Octo's template asks for, and octo-tf"
            " apply grants what octo.yaml allows.",
        )
    if _of_a_stack_set(stack):
        raise ConfigError(
            f"{expected.main_resource} is deployed by a StackSet of the payer, in the stack"
            f" {stack.name}",
            where=where,
            hint="Update the StackSet: octo-tf console update with the payer's octo.yaml.",
        )
    check_settled(flow, expected, stack)
    return stack


def _of_a_stack_set(stack: ObservedStack) -> bool:
    """CloudFormation names them ``StackSet-NAME-UUID`` ("StackSets concepts", its User Guide)."""
    return stack.name.startswith("StackSet-")


def check_settled(flow: ConsoleFlow, expected: ExpectedStack, stack: ObservedStack) -> None:
    """Make sure that a stack can be updated now.

    Raises:
        Pending: the stack is being changed.
        Refused: the stack's last change failed.
    """
    if stack.state != "complete":
        where = f"account {flow.account.account_id}, {stack.region}"
        status = f"the stack {stack.name} is {stack.status}"
        if stack.state == "running":
            raise Pending(status, where=where, hint=_ONCE_ENDED)
        link = f"octo-tf console link {expected.step}"
        hint = f"Delete the failed stack, then run {link} and open the link."
        if stack.status == UPDATE_FAILED:  # its resources are in use
            hint = (
                "Roll the stack back or update it in the AWS console, then run this command again;"
                " the stack's events name what failed."
            )
        if stack.status == ROLLBACK_FAILED:
            hint = (
                f"Run {_continue_rollback(flow, stack)}, with the account's own credentials; then"
                " run this command again."
            )
        raise Refused(status, where=where, hint=hint)


def check_method(flow: ConsoleFlow) -> None:
    """Refuse an account whose resources Terraform made: no stack of it can be updated.

    Raises:
        ConfigError: Terraform did.
    """
    record = flow.context.octo.ledger.account(flow.account.account_id)
    if record is not None and record.method == "terraform" and record.applied_at is not None:
        raise ConfigError(
            "the account's resources are made by Terraform, not by a stack",
            where=flow.account.account_id,
            hint="octo-tf status shows what Octo's template asks for; octo-tf apply grants what"
            " octo.yaml allows.",
        )


def check_target(flow: ConsoleFlow, target: str) -> None:
    """Make sure that the organization has the OU or root to deploy to.

    Raises:
        ConfigError: it does not, or the account is no payer.
    """
    check_step("stackset", flow.account.account_type)
    organization = flow.context.cloud.observe_linked_accounts().organization
    if target not in organization.parents:
        raise ConfigError(
            f"the organization has no {target}",
            where="--target",
            hint=f"Name an OU, or the root {organization.root}: the AWS Organizations console shows"
            " their ids.",
        )


def check_by_octo(update: StackUpdate, target: str | None) -> None:
    """Make sure that the stack is of Octo's own template, and that only the template changes.

    Raises:
        ConfigError: the stack is octo-tf's, or a new target is given; Octo can update neither.
    """
    if update.stack.is_ours or target is not None:
        raise ConfigError(
            "Octo can only update a stack of its own template, and only its template",
            where="--by-octo",
            hint="Omit --by-octo: the command of the AWS CLI is printed.",
        )


def by_octo(
    flow: ConsoleFlow, update: StackUpdate, *, sleep: Callable[[float], None] | None = None
) -> None:
    """Have Octo update the stack, and wait until CloudFormation has finished; the user consented.

    Octo's answer may be lost, so the stack's own status decides whether the update was started.

    Raises:
        OctoError: there are no credentials, or Octo refuses or does not answer, and no update runs.
        Pending: CloudFormation did not start or not finish the update within 15 minutes.
        OctoTfError: CloudFormation rolls it back.
    """
    cloud, stack, api = flow.context.cloud, update.stack, flow.context.octo.api
    if api is None:
        raise OctoError("there are no credentials for Octo's API", where=flow.account.account_id)
    before = cloud.stack_status(stack.stack_id, stack.region)
    try:
        api.update(flow.account.account_id)
    except OctoError:
        if cloud.stack_status(stack.stack_id, stack.region) == before:
            raise
    sleep, waited = sleep or flow.context.cancellation.sleep, 0.0
    now = cloud.stack_status(stack.stack_id, stack.region)
    while (now == before or now.status.endswith("_IN_PROGRESS")) and waited < _SECONDS:
        sleep(_PAUSE_SECONDS)
        waited += _PAUSE_SECONDS
        now = cloud.stack_status(stack.stack_id, stack.region)
    if now.status == "UPDATE_COMPLETE" and now != before:
        return
    where = f"account {flow.account.account_id}, {stack.region}"
    minutes = f"{_SECONDS / 60:.0f} minutes"
    if now == before:
        raise Pending(
            f"Octo accepted the update, but CloudFormation did not start it within {minutes}: the"
            f" stack {stack.name} still is {now.status}",
            where=where,
            hint="Run octo-tf console update later: if the stack is updated by then, it has Octo"
            " confirm it; if not, it shows the command that updates the stack with the account's"
            " own credentials.",
        )
    if now.status in ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"):
        raise Pending(
            f"the stack {stack.name} is {now.status}: CloudFormation did not finish the"
            f" update within {minutes}",
            where=where,
            hint=_ONCE_ENDED,
        )
    first = ""
    if now.status.endswith("_IN_PROGRESS"):
        first = "Wait until CloudFormation has finished. "
    if now.status == ROLLBACK_FAILED:
        first = f"First run {_continue_rollback(flow, stack)}. "
    raise OctoTfError(
        f"the stack {stack.name} is {now.status or 'gone'}: Octo has not updated it",
        where=where,
        hint="Its events in the AWS console name the reason; Octo's role may lack a permission."
        f" {first}Update it with the account's own credentials: octo-tf console update shows the"
        " command.",
    )


def _continue_rollback(flow: ConsoleFlow, stack: ObservedStack) -> str:
    """Write the command that ends a failed rollback; until then CloudFormation refuses updates."""
    return aws_line(
        *("cloudformation", "continue-update-rollback", "--stack-name", stack.name),
        profile=flow.registration.credentials.cli_profile,
        region=stack.region,
    )


def _own_template(url: str, file: str) -> tuple[str, ...]:
    if file:
        return ("--template-body", f"file://{file}")
    return ("--template-url", links.parse(url).template_url)
