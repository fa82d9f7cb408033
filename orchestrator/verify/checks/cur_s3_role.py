"""cur_s3.role: the role that reads the report is as the module defines it."""

from orchestrator.aws.iam import get_role_with_policies
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.roles import READ_PERMISSIONS, RESTORE, missing, mistakes


def _run(context: Context) -> Finding:
    cur = context.cur
    name = cur.role.role_name
    role = get_role_with_policies(context.aws, name)
    if role is None:
        return missing(name)
    trust, policies = mistakes(context, cur.role, role, trust=cur.role_trust)
    if found := [*(f"trust: {mistake}" for mistake in trust), *policies]:
        return failed(
            f"{name} differs from the module: {'; '.join(found)}.",
            RESTORE,
            role=name,
            mistakes=found,
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
    promise="The CUR read role has the module's trust and policies, and nothing extra.",
    permissions=READ_PERMISSIONS,
    run=_run,
)
