"""api_access.policies: the role has the module's policies, and no others.

What the chosen features add is theirs to check, so that none of them keeps the account from Octo.
"""

from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.features import own_policies
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Finding, passed
from orchestrator.verify.roles import POLICIES, READ_PERMISSIONS, judge, read_roles


def _judge(desired: Desired, observed: Observed) -> Finding:
    role = desired.roles[API_ROLE]
    right = passed(
        f"{role.name} has the policies of cost, and none that no feature has.",
        inline_policies=sorted(role.inline),
    )
    others = {
        name
        for feature in desired.outputs.api_access.features
        if feature != "cost"
        for name in own_policies(feature, role.name)
    }
    return judge(
        role,
        observed,
        right,
        wrong="'s policies differ from the module",
        parts=POLICIES,
        concerns=lambda difference: difference.kind == "extra" or difference.name not in others,
    )


CHECK = Check(
    id="api_access.policies",
    promise="The role has the policies of cost as the module has them, and nothing extra.",
    permissions=READ_PERMISSIONS,
    read=lambda context: read_roles(context, context.desired.roles[API_ROLE]),
    judge=_judge,
)
