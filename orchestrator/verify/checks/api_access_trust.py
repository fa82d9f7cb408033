"""api_access.trust: the role trusts Octo's account alone, and requires the external id."""

from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Finding, passed
from orchestrator.verify.roles import TRUST_ALONE, judge, read_api_role


def _judge(desired: Desired, observed: Observed) -> Finding:
    role, principal = desired.roles[API_ROLE], desired.outputs.api_access.principal
    right = passed(
        f"{role.name} trusts account {principal} alone, with the external id.",
        principal=principal,
        external_id="matches",
    )
    return judge(role, observed, right, wrong="'s trust policy is wrong", parts=TRUST_ALONE)


CHECK = Check(
    id="api_access.trust",
    promise="The role trusts Octo's account alone, and requires the right external id.",
    permissions=("iam:GetRole",),
    read=read_api_role,
    judge=_judge,
)
