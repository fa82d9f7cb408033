"""stackset.operation: the last operation succeeded, without failures within its tolerance."""

from orchestrator.aws import cloudformation
from orchestrator.verify.model import Check, Context, Finding, failed, passed, pending
from orchestrator.verify.stackset import missing

_RETRY = "octo-tf stackset status lists the accounts; octo-tf stackset retry deploys to them again."


def _run(context: Context) -> Finding:
    name = context.stackset.name
    if cloudformation.describe_stack_set(context.aws, name) is None:
        return missing(name)
    latest = cloudformation.list_operations(context.aws, name)
    if not latest:
        return passed(f"StackSet {name} has had no operation yet.")
    last = latest[0]
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
    accounts = "1 account" if last.failed == 1 else f"{last.failed} accounts"
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
    run=_run,
)
