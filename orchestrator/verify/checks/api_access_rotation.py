"""api_access.rotation: how long the roles have accepted two external ids."""

from __future__ import annotations

from datetime import datetime

from orchestrator.aws.session import Aws
from orchestrator.aws.sts import may_assume
from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.observed import Observed, Probes
from orchestrator.model.words import counted
from orchestrator.verify.model import Check, Finding, failed, warned
from orchestrator.verify.roles import RESTORE

_WHAT_NEXT = (
    "Once Octo presents the new external id, run octo-tf rotate-external-id: it drops the previous"
    " one. To keep the previous one, run octo-tf rotate-external-id with it."
)


def _probe(principal: Aws, desired: Desired, _observed: Observed) -> Probes:
    accepted = [may_assume(principal, desired.roles[API_ROLE].arn, i) for i in desired.external_ids]
    return Probes(refused=accepted.count(False))


def _judge(desired: Desired, observed: Observed) -> Finding:
    count, since = len(desired.external_ids), desired.acceptance.since
    evidence: dict[str, object] = {"since": since, "accepted": count}
    if observed.probes and (refused := observed.probes.refused):
        return failed(
            f"{API_ROLE} does not accept {refused} of the {count} external ids of the rotation.",
            RESTORE,
            **evidence,
        )
    age = _age(since, observed.at)
    return warned(
        f"{API_ROLE} is to accept {count} external ids{age}: Octo's external id is being changed.",
        _WHAT_NEXT,
        **evidence,
    )


def _age(since: str, now: float) -> str:
    """Say for how long; empty where the start is not known."""
    if not since:
        return ""
    hours = max(0, int((now - datetime.fromisoformat(since).timestamp()) // 3600))
    if hours < 48:
        return f", for {counted(hours, 'hour')} now"
    return f", for {hours // 24} days now"


CHECK = Check(
    id="api_access.rotation",
    promise="No rotation of the external id is left unfinished.",
    permissions=("sts:AssumeRole",),
    read=lambda context: Observed(at=context.now()),
    judge=_judge,
    probe=_probe,
    only_if=lambda desired: bool(desired.acceptance.also),
)
