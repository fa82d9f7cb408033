"""Before an account leaves: refuse if AWS has resources for Octo that the state does not have.

Where the state is lost, or is on another machine, a plan to destroy is empty: the account would be
unregistered, and everything left behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from orchestrator.app.context import AccountContext
from orchestrator.app.own_bucket import unknown_bucket
from orchestrator.errors import Refused
from orchestrator.model.account import Account
from orchestrator.model.permissions import Scope
from orchestrator.terraform.state import REPORT, STACKSET, StateResource

_HINT = (
    "Run octo-tf destroy where they were made, or get the state back (the folder .octo-tf, or the"
    " backend of octo.yaml). If it is lost: octo-tf apply imports what octo-tf made, octo-tf adopt"
    " also what differs; then run octo-tf destroy again. If only Octo is to forget the account:"
    " octo-tf unregister."
)
_STACKS_HINT = (
    " What stacks of the console path made is deleted with them: octo-tf console check notes that"
    " they did, and octo-tf destroy then lists them."
)


def check(context: AccountContext, account: Account, state: Collection[StateResource]) -> None:
    """Refuse to leave if AWS has roles, a report or a StackSet that the state does not have.

    A destroy that the ledger records as completed is trusted: resources that AWS has now belong to
    another owner.

    Raises:
        Refused: it has; each is named, a role with the stack that owns it.
    """
    record = context.octo.ledger.account(account.account_id)
    if record is not None and record.destroyed_at is not None:
        return
    scope = Scope(context.registration, account.account_type)
    in_state = {r.arn.rpartition("/")[2] for r in state if r.type == "aws_iam_role"}
    roles = [r for r in scope.roles if r not in in_state and context.cloud.describe_role(r)]
    found = [*_roles(context, roles), *_others(context, scope, {r.type for r in state})]
    if not found:
        return
    if bucket := unknown_bucket(context, account, state):
        found.append(f"bucket {bucket}")
    raise Refused(
        "AWS has these resources for Octo, and octo-tf's state does not; nothing was changed:\n"
        + "\n".join(f"  {one}" for one in found),
        where=str(context.folder),
        hint=_HINT + (_STACKS_HINT if any("of stack" in one for one in found) else ""),
    )


def _roles(context: AccountContext, names: Collection[str]) -> Iterator[str]:
    stacks = context.cloud.owning_stacks(names) if names else {}
    for name in names:
        stack = stacks.get(name)
        yield f"role {name}" + (f" of stack {stack.name} in {stack.region}" if stack else "")


def _others(context: AccountContext, scope: Scope, types: Collection[str]) -> Iterator[str]:
    cloud, report = context.cloud, scope.inputs.cur_report_name
    if scope.makes_report and REPORT not in types:
        yield from (f"report {report}" for one in cloud.reports() if one["ReportName"] == report)
    if scope.has_stackset and STACKSET not in types and cloud.has_stackset():
        yield f"StackSet {cloud.stackset_name}"
