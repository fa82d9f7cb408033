"""stackset.operation: the last operation succeeded, without failures within its tolerance."""

from dataclasses import replace

from orchestrator.aws import cloudformation
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Observed
from orchestrator.model.words import counted
from orchestrator.verify.model import Check, Context, Finding, failed, passed, pending
from orchestrator.verify.stackset import missing, read_settings

_RETRY = "octo-tf stackset status lists the accounts; octo-tf stackset retry deploys to them again."


def _read(context: Context) -> Observed:
    observed = read_settings(context)
    if observed.stack_set is None:
        return observed
    name = context.desired.stackset.name
    return replace(observed, operations=cloudformation.list_operations(context.aws, name))


def _judge(desired: Desired, observed: Observed) -> Finding:
    name = desired.stackset.name
    if observed.stack_set is None:
        return missing(name)
    if not observed.operations:
        return passed(f"StackSet {name} has had no operation yet.")
    last = observed.operations[0]
    evidence: dict[str, object] = {
        "operation": last.id,
        "action": last.action,
        "status": last.status,
        "failed_instances": last.failed,
    }
    if last.is_running:
        return pending(
            f"A {last.action} operation is {last.status.lower()}.",
            "CloudFormation continues by itself: run octo-tf verify --wait 30m.",
            **evidence,
        )
    accounts = counted(last.failed, "account")
    if last.status != "SUCCEEDED":
        why = f" ({last.reason})" if last.reason else ""
        return failed(
            f"The last operation, {last.action}, {last.status.lower()}{why}: {accounts} failed.",
            _RETRY,
            **evidence,
        )
    if last.failed:
        return failed(
            f"The last operation, {last.action}, is SUCCEEDED, but {accounts} failed within its"
            " tolerance.",
            _RETRY,
            **evidence,
        )
    return passed(f"The last operation, {last.action}, succeeded.", **evidence)


CHECK = Check(
    id="stackset.operation",
    promise="The last operation succeeded in every account.",
    permissions=("cloudformation:DescribeStackSet", "cloudformation:ListStackSetOperations"),
    read=_read,
    judge=_judge,
)
