"""stackset.coverage: every linked account that should have the role has it."""

from __future__ import annotations

from orchestrator.aws import cloudformation, organizations
from orchestrator.model.coverage import WANTING, LinkedAccount, State, cover
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Observed
from orchestrator.model.words import counted, listed
from orchestrator.verify.model import Check, Context, Finding, failed, passed, pending
from orchestrator.verify.remedy import Restore

_SHOWN = 5


def _read(context: Context) -> Observed:
    return Observed(
        organization=organizations.read(context.aws),
        stack_set=cloudformation.read_stack_set(context.aws, context.desired.stackset.name),
    )


def _judge(desired: Desired, observed: Observed) -> Finding:
    found = cover(
        observed.organization,
        observed.stack_set,
        targets=desired.stackset.targets,
        excluded=desired.stackset.excluded_accounts,
    )
    wanting, excess = found.of(*WANTING), found.of(State.EXCESS)
    running, current = found.of(State.RUNNING), found.of(State.CURRENT)
    accounts = counted(found.wanted, "linked account")
    have = "has" if len(current) == 1 else "have"
    summary = f"{len(current)} of {accounts} {have} the role"
    if wanting or excess:
        return failed(
            f"{summary}; {_named([*wanting, *excess])}.",
            Restore(
                first="Fix the reasons",
                otherwise="octo-tf stackset retry deploys to the failed accounts again; octo-tf"
                " stackset status lists them all.",
            ),
            coverage=found,
        )
    if running:
        return pending(
            f"{summary}; CloudFormation is deploying to {len(running)}.",
            "CloudFormation continues by itself: run octo-tf verify --wait 30m.",
            coverage=found,
        )
    excluded = found.of(State.EXCLUDED, State.SUSPENDED, State.INACTIVE, State.OUTSIDE)
    rest = f"; {counted(len(excluded), 'is', 'are')} excluded" if excluded else ""
    return passed(f"{summary}{rest}.", coverage=found)


def _named(accounts: list[LinkedAccount]) -> str:
    said = [f"{s.account_id} {s.state.value}: {s.reason}" for s in accounts]
    return listed(said, _SHOWN, "; ")


CHECK = Check(
    id="stackset.coverage",
    promise="Every linked account that should have the role has it.",
    permissions=(
        "cloudformation:DescribeStackSet",
        "cloudformation:ListStackInstances",
        "organizations:DescribeOrganization",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListRoots",
    ),
    read=_read,
    judge=_judge,
)
