"""stackset.coverage: every linked account that should have the role has it, or a reason."""

from __future__ import annotations

from orchestrator.model.coverage import WANTING, Standing, State
from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.stackset import COVERAGE, applies, coverage

_SHOWN = 5


def _run(context: Context) -> Finding:
    found = coverage(context)
    wanting, excess = found.of(*WANTING), found.of(State.EXCESS)
    running, current = found.of(State.RUNNING), found.of(State.CURRENT)
    evidence: dict[str, object] = {
        "counts": found.counts,
        "current": {standing.account_id: standing.name for standing in current},
        "others": {
            s.account_id: {"name": s.name, "state": s.state.value, "reason": s.reason}
            for s in found.accounts
            if s.state is not State.CURRENT
        },
    }
    says = f"{len(current)} of {found.wanted} linked accounts have the role"
    if wanting or excess:
        return Finding(
            Status.FAIL,
            f"{says}; {_named([*wanting, *excess])}.",
            evidence,
            "Mend the reasons, then run octo-tf apply, or octo-tf stackset retry for the failed"
            " ones; `octo-tf stackset status` lists all.",
        )
    if running:
        return Finding(
            Status.PENDING,
            f"{says}; CloudFormation is at work on {len(running)}.",
            evidence,
            "AWS goes on by itself; run octo-tf verify --wait 30m.",
        )
    left_out = found.of(State.EXCLUDED, State.SUSPENDED, State.INACTIVE, State.OUTSIDE)
    rest = f"; {len(left_out)} are left out" if left_out else ""
    return Finding(Status.PASS, f"{says}{rest}.", evidence)


def _named(standings: list[Standing]) -> str:
    shown = "; ".join(f"{s.account_id} {s.state.value}: {s.reason}" for s in standings[:_SHOWN])
    more = len(standings) - _SHOWN
    return shown + (f"; and {more} more" if more > 0 else "")


CHECK = Check(
    id=COVERAGE,
    area=Area.STACKSET,
    promise="Every linked account that should have the role has it.",
    permissions=(
        "cloudformation:DescribeStackSet",
        "cloudformation:ListStackInstances",
        "organizations:DescribeOrganization",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListRoots",
    ),
    applies=applies,
    run=_run,
)
