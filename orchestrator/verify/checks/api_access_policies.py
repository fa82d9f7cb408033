"""api_access.policies: the role has the module's policies, and no others.

What the chosen features add is theirs to check, so that none of them keeps the account from Octo.
"""

from orchestrator.model.module_contract.features import own_policies
from orchestrator.verify.model import Check, Context, Finding, passed
from orchestrator.verify.roles import POLICIES, READ_PERMISSIONS, judge


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    right = passed(
        f"{expected.role_name} has the policies of cost, and none that no feature has.",
        inline_policies=sorted(expected.inline_policies),
    )
    others = {
        name
        for feature in expected.features
        if feature != "cost"
        for name in own_policies(feature, expected.role_name)
    }
    return judge(
        context,
        expected,
        right,
        wrong="'s policies differ from the module",
        parts=POLICIES,
        concerns=lambda difference: difference.kind == "extra" or difference.name not in others,
    )


CHECK = Check(
    id="api_access.policies",
    promise="The role has the policies of cost as the module has them, and nothing extra.",
    permissions=READ_PERMISSIONS,
    run=_run,
)
