"""cur_s3.role: the role that reads the report is as the module defines it."""

from orchestrator.aws.iam import get_role_with_policies
from orchestrator.verify.cur import expected_cur, has_cur
from orchestrator.verify.model import Area, Check, Context, Finding, failed, passed
from orchestrator.verify.roles import (
    APPLY,
    READ_PERMISSIONS,
    missing,
    policy_mistakes,
    trust_mistakes,
)


def _run(context: Context) -> Finding:
    cur = expected_cur(context)
    name = cur.role.role_name
    role = get_role_with_policies(context.aws, name)
    if role is None:
        return missing(name)
    mistakes = [
        *(f"trust: {m}" for m in trust_mistakes(role, context, trust=cur.role_trust)),
        *policy_mistakes(role, cur.role),
    ]
    if mistakes:
        return failed(
            f"{name} differs from the module: {'; '.join(mistakes)}.",
            APPLY,
            role=name,
            mistakes=mistakes,
        )
    if cur.role_trust == "principal_only":
        return passed(
            f"{name} reads {cur.s3_bucket_name} only. WEAKER: it trusts Octo's account without an"
            " external id, because of cur_role_trust: principal_only.",
            role=name,
            role_trust=cur.role_trust,
            weaker=True,
        )
    return passed(
        f"{name} reads {cur.s3_bucket_name} only, and requires the external id.",
        role=name,
        role_trust=cur.role_trust,
    )


CHECK = Check(
    id="cur_s3.role",
    area=Area.CUR_S3,
    promise="The CUR read role has the module's trust and policies, and nothing extra.",
    permissions=READ_PERMISSIONS,
    applies=has_cur,
    run=_run,
)
