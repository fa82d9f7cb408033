"""Rotate the external id after the console path: the user updates the stacks, octo-tf checks them.

A stack whose template octo-tf made can accept two ids. One of Octo's own template takes one: it is
updated at the moment in which Octo changes, with a gap that nothing here can close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.app.console.check import check
from orchestrator.app.console.flow import ConsoleFlow, flow_of
from orchestrator.app.context import AccountContext
from orchestrator.app.review import Review, review
from orchestrator.app.rotation import (
    Change,
    Rotated,
    StackToUpdate,
    is_confirmed,
    is_right,
    octo_is_refused,
)
from orchestrator.config import rotation as kept
from orchestrator.files import write_atomically
from orchestrator.model.account import Account
from orchestrator.model.module_contract import documents
from orchestrator.model.partition import partition_of_arn
from orchestrator.stacks import links, templates
from orchestrator.stacks.observed import ObservedStack
from orchestrator.stacks.steps import ExpectedStack
from orchestrator.terraform.plan import Plan
from orchestrator.verify.model import Report


@dataclass(frozen=True)
class RoleStack:
    """A stack that gives external ids to roles, and the expected one."""

    expected: ExpectedStack
    stack: ObservedStack

    def lacks(self, needed: frozenset[str]) -> bool:
        """Tell whether it could accept all the ids that are needed, and does not."""
        return self.stack.is_ours and not needed <= self.stack.external_ids


def rotate(
    context: AccountContext,
    account: Account,
    change: Change,
    *,
    config: Path,
    consent: Callable[[Review], None],
) -> Rotated:
    """Take a rotation as far as it can go now; only octo.yaml is changed.

    Args:
        config: octo.yaml.

    Raises:
        ConfigError: the address of the AWS console in the account's partition is not known.
    """
    links.check_console(context.registration.region, partition_of_arn(account.caller_arn))
    begins = change.announce_begin(config)
    nothing = Plan(context.plan_file, (), False)
    shown = review(nothing, account, context.account_name, outside=begins)
    if begins:
        consent(shown)
        change.keep(config)
    flow = flow_of(change.accepting(context), account)
    new = frozenset((change.new.get_secret_value(),))
    found = observe_stacks(flow)
    needed = new if change.has_changed else frozenset(flow.external_ids)
    count = len(flow.external_ids)
    if stacks := to_update(flow, [s for s in found if s.lacks(needed)], ids=count):
        context.octo.ledger.note_rotation(account.account_id, "accepting")
        return Rotated("accepting", None, shown, stacks)
    if not change.has_changed:
        context.octo.ledger.note_rotation(account.account_id, "waiting")
        single = to_update(flow, [s for s in found if not s.stack.is_ours], ids=1)
        return Rotated("waiting", None if single else _verify(flow), shown, single)
    flow = flow_of(change.alone(context), account)
    context.octo.ledger.note_rotation(account.account_id, "dropping")
    if stacks := to_update(flow, [s for s in found if s.stack.external_ids - new], ids=1):
        return Rotated("dropping", None, shown, stacks)
    record = context.octo.ledger.account(account.account_id)
    report = _verify(flow)
    if octo_is_refused(report, record.confirmed_at if record else ()):
        context.octo.ledger.note_rotation(account.account_id, "put_back")
        both = flow_of(change.accepting(context), account)
        ours = [one for one in found if one.stack.is_ours]
        return Rotated("put_back", report, shown, to_update(both, ours, ids=count))
    if not is_right(report) or not is_confirmed(context, report):
        return Rotated("dropping", report, shown)
    if ends := change.announce_end(config):
        shown = review(nothing, account, context.account_name, outside=ends)
        consent(shown)
    kept.end(config, change.new.get_secret_value())
    context.octo.ledger.note_rotation(account.account_id, "done")
    return Rotated("done", report, shown)


def observe_stacks(flow: ConsoleFlow) -> list[RoleStack]:
    """Read the stacks of roles, in the order in which they were deployed."""
    found: dict[str, RoleStack] = {}
    with flow.context.events.step("stacks", "Reading the stacks"):
        for step in flow.checked_steps():
            for expected in flow.stacks(step):
                stack = flow.describe(expected)
                if "ExternalId" in expected.parameters and stack.state != "absent":
                    # The payer's own stack may hold the StackSet too.
                    found.setdefault(stack.stack_id, RoleStack(expected, stack))
    return list(found.values())


def to_update(
    flow: ConsoleFlow, stacks: Iterable[RoleStack], *, ids: int
) -> tuple[StackToUpdate, ...]:
    """Say how each stack is updated, and write the templates for it.

    Args:
        ids: how many external ids their roles are to accept.
    """
    found = []
    for one in stacks:
        expected, stack = one.expected, one.stack
        file = flow.context.folder / "console" / f"{expected.template}.yaml"
        if stack.is_ours:
            text = templates.render(
                expected.template, flow.inputs, partition=flow.partition, ids=ids
            )
            write_atomically(file, text.encode())
        found.append(
            StackToUpdate(
                stack.name,
                stack.region,
                stack.status,
                links.stack_page(stack.region, stack.stack_id, flow.partition),
                file if stack.is_ours else None,
                documents.external_id_parameters(ids if stack.is_ours else 1),
            )
        )
    return tuple(found)


def _verify(flow: ConsoleFlow) -> Report:
    return check(flow, flow.checked_steps(), wait_seconds=flow.context.settings.wait_seconds)
