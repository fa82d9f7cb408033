"""cur_s3.role: the role that reads the report is as narrow as the module makes it."""

from orchestrator.verify.cur import has_cur, wanted
from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.roles import APPLY, get_role, missing, policy_mistakes, trust_mistakes


def _run(context: Context) -> Finding:
    cur = wanted(context)
    name = cur.role.role_name
    role = get_role(context, name)
    if role is None:
        return missing(name)
    mistakes = [
        *(f"trust: {m}" for m in trust_mistakes(role, context, trust=cur.role_trust)),
        *policy_mistakes(role, cur.role, context.aws),
    ]
    if mistakes:
        return Finding(
            Status.FAIL,
            f"{name} is not right: {'; '.join(mistakes)}.",
            {"role": name, "mistakes": mistakes},
            APPLY,
        )
    if cur.role_trust == "principal_only":
        return Finding(
            Status.PASS,
            f"{name} reads {cur.s3_bucket_name} only. WEAKER: it trusts Octo's account without an"
            " external id, as cur_role_trust: principal_only asks for.",
            {"role": name, "role_trust": cur.role_trust, "weaker": True},
        )
    return Finding(
        Status.PASS,
        f"{name} reads {cur.s3_bucket_name} only, under the external id.",
        {"role": name, "role_trust": cur.role_trust},
    )


CHECK = Check(
    id="cur_s3.role",
    area=Area.CUR_S3,
    promise="The CUR read role has the module's trust and policies, and nothing extra.",
    permissions=(
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
    ),
    applies=has_cur,
    run=_run,
)
