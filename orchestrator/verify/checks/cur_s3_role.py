"""cur_s3.role: the role that reads the report is as the module defines it."""

from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.octo_names import CUR_ROLE
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Finding, passed, warned
from orchestrator.verify.roles import READ_PERMISSIONS, judge, read_roles


def _judge(desired: Desired, observed: Observed) -> Finding:
    cur = desired.cur
    evidence: dict[str, object] = {"role": cur.role.role_name, "role_trust": cur.role_trust}
    reads = f"{cur.role.role_name} reads the reports in {cur.s3_bucket_name} and billing data"
    right = passed(f"{reads}, and requires the external id.", **evidence)
    if cur.role_trust == "principal_only":
        right = warned(
            f"{reads}. WEAKER: it trusts Octo's account without an external id, because of"
            " cur_role_trust: principal_only.",
            "Once Octo sends the external id for this role, set cur_role_trust: external_id.",
            **evidence,
            weaker=True,
        )
    return judge(desired.roles[CUR_ROLE], observed, right, wrong=" differs from the module")


CHECK = Check(
    id="cur_s3.role",
    promise="The CUR read role has the module's trust and policies, and nothing extra.",
    permissions=READ_PERMISSIONS,
    read=lambda context: read_roles(context, context.desired.roles[CUR_ROLE]),
    judge=_judge,
)
