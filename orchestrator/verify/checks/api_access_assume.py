"""api_access.assume: Octo can assume the role with the external id, and not without it."""

from dataclasses import replace

from orchestrator.aws.session import Aws
from orchestrator.aws.sts import probe_role
from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.observed import Observed, Probes
from orchestrator.verify.model import Check, Finding, failed, passed, skipped
from orchestrator.verify.roles import RESTORE, access_evidence


def _probe(principal: Aws, desired: Desired, _observed: Observed) -> Probes:
    arn, retired = desired.roles[API_ROLE].arn, desired.acceptance.retired
    access, _ = probe_role(principal, arn, desired.external_id, retired)
    return Probes(access)


def _judge(_desired: Desired, observed: Observed) -> Finding:
    if observed.probes is None:
        return skipped(
            "Not tried: only Octo's own account can assume the role.",
            "Octo assumes the role when you confirm the account in Octo.",
        )
    access = observed.probes.access
    evidence = access_evidence(access)
    if access.missing or access.wrong:
        how = "without an external id" if access.missing else "with a wrong external id"
        return failed(f"{API_ROLE} can be assumed {how}.", RESTORE, **evidence)
    if not access.right:
        return failed(
            f"Octo's account cannot assume {API_ROLE} with the external id.",
            replace(
                RESTORE,
                otherwise="If the check still fails, compare the external id with Octo's.",
            ),
            **evidence,
        )
    return passed(
        f"{API_ROLE} accepts the external id, and neither none nor a wrong one.",
        **evidence,
    )


CHECK = Check(
    id="api_access.assume",
    promise="Octo can assume the role with the external id, and not without it.",
    permissions=("sts:AssumeRole",),
    judge=_judge,
    probe=_probe,
)
