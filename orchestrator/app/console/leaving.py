"""Leave Octo after the console path: list the stacks that the user deletes, and what stays."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.app import enrolling
from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.model.enrolment import SERVICES
from orchestrator.stacks import links


@dataclass(frozen=True)
class StackToDelete:
    """A stack that the user deletes in the AWS console.

    Attributes:
        status: CloudFormation's status, like DELETE_FAILED.
        reasons: why it, or something in it, failed.
    """

    name: str
    region: str
    status: str
    url: str
    reasons: tuple[str, ...] = ()


def stacks_to_delete(flow: ConsoleFlow) -> tuple[StackToDelete, ...]:
    """List the stacks that are still there, in the order in which they are deleted.

    The last one deployed goes first: the bucket's after the report's, the payer's own role last.
    """
    flow.context.cloud.observe_again()
    found: dict[str, StackToDelete] = {}
    for step in reversed(flow.steps):
        for expected in reversed(flow.stacks(step)):
            stack = flow.describe(expected)
            if stack.state != "absent":
                url = links.stack_page(stack.region, stack.stack_id, flow.partition)
                found.pop(stack.stack_id, None)  # the payer's own stack may hold the StackSet too
                found[stack.stack_id] = StackToDelete(
                    stack.name, stack.region, stack.status, url, stack.reasons
                )
    return tuple(found.values())


def stays(flow: ConsoleFlow) -> list[str]:
    """Say what stays: enrolments, and the report and its bucket, which the stacks retain."""
    sentences = []
    if made := enrolling.made_by_octo_tf(flow.context, flow.account):
        labels = ", ".join(SERVICES[name].label for name in made)
        sentences.append(f"The enrolments that octo-tf made: {labels}. End them in the console.")
    if "cur" not in flow.steps:
        return sentences
    cloud, inputs = flow.context.cloud, flow.inputs
    if inputs.cur_report_option == "USE_EXISTING":
        kept = f"The report {inputs.cur_report_name} and its bucket, which were there before."
        return [*sentences, kept]
    if flow.has_report():
        sentences.append(
            f"The report {inputs.cur_report_name}: its stack retains it, so AWS keeps"
            " delivering. Delete it in the console: Billing and Cost Management, Data Exports."
        )
    if inputs.bucket_is_new and cloud.bucket_region(inputs.cur_s3_bucket_name):
        sentences.append(
            f"The bucket {inputs.cur_s3_bucket_name} with its data: its stack retains it."
        )
    return sentences
