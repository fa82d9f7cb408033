"""api_access.rotation: how long the roles have accepted two external ids."""

from __future__ import annotations

from datetime import datetime

from orchestrator.aws.sts import may_assume
from orchestrator.verify.model import Check, Context, Finding, failed, warned
from orchestrator.verify.roles import RESTORE

_WHAT_NEXT = (
    "Once Octo presents the new external id, run octo-tf rotate-external-id: it drops the previous"
    " one. To keep the previous one, run octo-tf rotate-external-id with it."
)


def _run(context: Context) -> Finding:
    expected, principal = context.expected.api_access, context.principal
    count = len(context.accepted_ids)
    evidence: dict[str, object] = {"since": context.acceptance.since, "accepted": count}
    if principal is not None:
        refused = [
            i for i in context.accepted_ids if not may_assume(principal, expected.role_arn, i)
        ]
        if refused:
            return failed(
                f"{expected.role_name} does not accept {len(refused)} of the {count} external ids"
                " of the rotation.",
                RESTORE,
                **evidence,
            )
    age = _age(context.acceptance.since, context.now())
    return warned(
        f"{expected.role_name} is to accept {count} external ids{age}: Octo's external id is being"
        " changed.",
        _WHAT_NEXT,
        **evidence,
    )


def _age(since: str, now: float) -> str:
    """Say for how long; empty where the start is not known."""
    if not since:
        return ""
    hours = max(0, int((now - datetime.fromisoformat(since).timestamp()) // 3600))
    if hours < 48:
        return f", for {hours} hour{'' if hours == 1 else 's'} now"
    return f", for {hours // 24} days now"


CHECK = Check(
    id="api_access.rotation",
    promise="No rotation of the external id is left unfinished.",
    permissions=("sts:AssumeRole",),
    run=_run,
    only_if=lambda context: bool(context.acceptance.also),
)
