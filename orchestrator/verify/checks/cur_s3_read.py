"""cur_s3.read: Octo can assume the CUR role and read the report."""

from dataclasses import replace

from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.aws.sts import probe_role
from orchestrator.verify.cur import manifests, read_object
from orchestrator.verify.model import Check, Context, Finding, failed, passed, skipped
from orchestrator.verify.roles import RESTORE, access_evidence


def _run(context: Context) -> Finding:
    cur = context.cur
    name = cur.role.role_name
    if context.principal is None:
        return skipped(
            "Not tried: only Octo's own account can assume the role.",
            "Octo assumes the role when you confirm the report in Octo. If that fails although the"
            " other checks pass, Octo may not send the external id for this role: then set"
            " cur_role_trust: principal_only, which is weaker.",
        )
    access = probe_role(
        context.principal, cur.role.role_arn, context.external_id, context.acceptance.retired
    )
    evidence = access_evidence(access)
    if cur.role_trust == "external_id" and (access.missing or access.wrong):
        return failed(f"{name} can be assumed without the external id.", RESTORE, **evidence)
    if access.session is None:
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
    try:
        found = manifests(access.session, cur)
        newest = next(iter(found), None)
        if newest:
            read_object(access.session, cur, newest)
    except ServiceError as error:
        if not is_denied(error):
            raise
        return failed(f"{name} cannot read {cur.s3_bucket_name}.", RESTORE, **evidence)
    read = f"read {newest}" if newest else "listed the bucket, which has no manifest yet"
    return passed(f"Octo's account assumed {name} and {read}.", **evidence, manifests=len(found))


CHECK = Check(
    id="cur_s3.read",
    promise="Octo can read the delivered report with the external id.",
    permissions=("sts:AssumeRole",),
    run=_run,
)
