"""cur_s3.read: Octo can really read what is delivered."""

from botocore.exceptions import ClientError

from orchestrator.aws.errors import is_denied
from orchestrator.verify.cur import has_cur, manifests, read_object, wanted
from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.roles import APPLY, try_access


def _run(context: Context) -> Finding:
    cur = wanted(context)
    name = cur.role.role_name
    if context.principal is None:
        return Finding(
            Status.SKIPPED,
            "Not tried: only Octo's own account can assume the role.",
            {},
            "Octo tries it when the report is confirmed there. Should it fail though the other"
            " checks pass, Octo may not send the external id for this role: cur_role_trust:"
            " principal_only is the (weaker) way out.",
        )
    access = try_access(context.principal, cur.role.role_arn, context.external_id)
    evidence: dict[str, object] = {
        "right_external_id": "allowed" if access.right else "denied",
        "missing_external_id": "allowed" if access.missing else "denied",
        "wrong_external_id": "allowed" if access.wrong else "denied",
    }
    if cur.role_trust == "external_id" and (access.missing or access.wrong):
        return Finding(
            Status.FAIL, f"{name} can be assumed without the external id.", evidence, APPLY
        )
    if access.session is None:
        return Finding(
            Status.FAIL,
            f"Octo's account cannot assume {name} with the external id.",
            evidence,
            f"{APPLY} If it stays, compare the external id with the one that Octo shows; if Octo"
            " does not send one for this role, cur_role_trust: principal_only is the (weaker) way"
            " out.",
        )
    try:
        found = manifests(access.session, cur)
        if found:
            read_object(access.session, cur, found[0]["Key"])
    except ClientError as error:
        if not is_denied(error):
            raise
        return Finding(Status.FAIL, f"{name} cannot read {cur.s3_bucket_name}.", evidence, APPLY)
    read = f"read {found[0]['Key']}" if found else "listed it; there is no manifest to read yet"
    return Finding(
        Status.PASS,
        f"Octo's account assumed {name} for {cur.s3_bucket_name} and {read}.",
        {**evidence, "manifests": len(found)},
    )


CHECK = Check(
    id="cur_s3.read",
    area=Area.CUR_S3,
    promise="Octo can read the delivered report with the external id.",
    permissions=("sts:AssumeRole",),
    applies=has_cur,
    run=_run,
)
