"""cur_s3.read: Octo can assume the CUR role and read the report."""

from dataclasses import replace

from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.aws.session import Aws
from orchestrator.aws.sts import probe_role
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Observed, Probes, RoleAccess
from orchestrator.verify.cur import manifests, read_object
from orchestrator.verify.model import Check, Finding, failed, passed, skipped
from orchestrator.verify.roles import RESTORE, access_evidence


def _probe(principal: Aws, desired: Desired, _observed: Observed) -> Probes:
    cur, retired = desired.cur, desired.acceptance.retired
    access, session = probe_role(principal, cur.role.role_arn, desired.external_id, retired)
    if session is None or _is_open(desired, access):
        return Probes(access)
    try:
        found = [*manifests(session, cur)]
        if found:
            read_object(session, cur, found[0])
    except ServiceError as error:
        if not is_denied(error):
            raise
        return Probes(access, may_read=False)
    return Probes(access, may_read=True, read=found)


def _is_open(desired: Desired, access: RoleAccess) -> bool:
    """Tell whether the role can be assumed by others than it is for."""
    return desired.cur.role_trust == "external_id" and (access.missing or access.wrong)


def _judge(desired: Desired, observed: Observed) -> Finding:
    cur = desired.cur
    name = cur.role.role_name
    if observed.probes is None:
        return skipped(
            "Not tried: only Octo's own account can assume the role.",
            "Octo assumes the role when you confirm the report in Octo. If that fails although the"
            " other checks pass, Octo may not send the external id for this role: then set"
            " cur_role_trust: principal_only, which is weaker.",
        )
    access, found = observed.probes.access, observed.probes.read
    evidence = access_evidence(access)
    if _is_open(desired, access):
        return failed(f"{name} can be assumed without the external id.", RESTORE, **evidence)
    if not access.right:
        return failed(
            f"Octo's account cannot assume {name} with the external id.",
            replace(
                RESTORE,
                otherwise="If the check still fails, compare the external id with the one that Octo"
                " shows; if Octo sends none for this role, set cur_role_trust: principal_only,"
                " which is weaker.",
            ),
            **evidence,
        )
    if not observed.probes.may_read:
        return failed(f"{name} cannot read {cur.s3_bucket_name}.", RESTORE, **evidence)
    read = f"read {found[0]}" if found else "listed the bucket, which has no manifest yet"
    return passed(f"Octo's account assumed {name} and {read}.", **evidence, manifests=len(found))


CHECK = Check(
    id="cur_s3.read",
    promise="Octo can read the delivered report with the external id.",
    permissions=("sts:AssumeRole",),
    judge=_judge,
    probe=_probe,
)
