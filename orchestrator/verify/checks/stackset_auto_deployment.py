"""stackset.auto_deployment: the StackSet deploys to accounts that join its targets."""

from orchestrator.model.desired import Desired
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Finding, failed, passed
from orchestrator.verify.stackset import RESTORE, missing, read_settings


def _judge(desired: Desired, observed: Observed) -> Finding:
    wanted, settings = desired.stack_set, observed.stack_set
    if settings is None:
        return missing(wanted.name)
    evidence: dict[str, object] = {
        "enabled": settings.auto_deployment,
        "targets": sorted(settings.targets),
    }
    if not settings.auto_deployment:
        return failed(
            "Automatic deployment is off: accounts that join do not get the role.",
            RESTORE,
            **evidence,
        )
    if excluded := sorted(set(wanted.targets) - set(settings.targets)):
        return failed(
            f"Accounts that join {', '.join(excluded)} do not get the role: the StackSet does not"
            " target it.",
            RESTORE,
            **evidence,
        )
    return passed(f"Accounts that join {', '.join(wanted.targets)} get the role.", **evidence)


CHECK = Check(
    id="stackset.auto_deployment",
    promise="Accounts that join a target get the role automatically.",
    permissions=("cloudformation:DescribeStackSet",),
    read=read_settings,
    judge=_judge,
)
