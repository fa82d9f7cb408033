"""Update the StackSet of linked accounts if a stack of octo-tf's template created it.

Octo's own template creates the StackSet in the stack of API access, whose update includes it.
"""

from __future__ import annotations

from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.app.console.update import StackUpdate, check_settled, plan_own
from orchestrator.detection import stackset_template
from orchestrator.octo.messages import OUTDATED
from orchestrator.stacks import templates


def plan_stackset(flow: ConsoleFlow, *, bucket: str | None = None) -> StackUpdate | None:
    """Plan the update of the StackSet's stack to what octo.yaml says; nothing is changed.

    Warns of a StackSet that differs from octo.yaml and that no stack of octo-tf's template created.

    Args:
        flow: the account's console flow.
        bucket: a bucket of the account for the template.

    Returns:
        None if the StackSet deploys what octo.yaml says, or has no stack of octo-tf's template.

    Raises:
        Pending: the stack is being changed.
        Refused: the stack's last change failed.
    """
    if "stackset" not in flow.steps:
        return None
    found = flow.context.cloud.describe_stack_set()
    wanted = templates.linked_template(flow.inputs, len(flow.external_ids))
    if found is None or stackset_template.parse(found.template) == stackset_template.parse(wanted):
        return None
    (expected,), (api_access,) = flow.stacks("stackset"), flow.stacks("api-access")
    stack = flow.describe(expected)
    if stack.stack_id and stack.stack_id == flow.describe(api_access).stack_id:
        return None
    if stack.state == "absent" or not stack.is_ours:
        origin = "no stack created it"
        if stack.stack_id:
            origin = f"the stack {stack.name} created it from a template that octo-tf does not know"
        flow.context.events.warn(
            f"StackSet {found.name} ({found.region}) differs from octo.yaml, and {origin}: this"
            " command cannot update it. Update it in the AWS console, or run octo-tf adopt, which"
            " shows what would change first."
        )
        return None
    check_settled(flow, expected, stack)
    return plan_own(flow, expected, stack, bucket=bucket)


def outdated_accounts(flow: ConsoleFlow) -> list[str]:
    """List the linked accounts that the StackSet has deployed to and Octo calls outdated.

    Raises:
        OctoError: Octo refuses, or does not answer.
    """
    api, cloud, own = flow.context.octo.api, flow.context.cloud, flow.account.account_id
    if api is None or "stackset" not in flow.steps or cloud.describe_stack_set() is None:
        return []
    options = {known.target: known.aws_options for known in api.status_of_all()}
    found = {
        account_id
        for account_id, of in options.items()
        if of.payer_id == own != account_id and of.status == OUTDATED
    }
    deployed = cloud.observe_linked_accounts().deployed if found else None
    return sorted(found.intersection(deployed.current)) if deployed else []
