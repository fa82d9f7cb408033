"""stackset.set: the StackSet's settings are as the module defines them."""

from __future__ import annotations

from orchestrator.model.desired import Desired
from orchestrator.model.differences import stack_set_differences
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Finding, failed, passed
from orchestrator.verify.stackset import RESTORE, missing, read_settings


def _judge(desired: Desired, observed: Observed) -> Finding:
    wanted = desired.stack_set
    if observed.stack_set is None:
        return missing(wanted.name)
    if mistakes := stack_set_differences(wanted, observed.stack_set):
        return failed(
            f"StackSet {wanted.name}: {'; '.join(mistakes)}.",
            RESTORE,
            stackset=wanted.name,
            mistakes=mistakes,
        )
    return passed(f"StackSet {wanted.name} is as the module defines it.", stackset=wanted.name)


CHECK = Check(
    id="stackset.set",
    promise="The StackSet has the module's template, parameters and permissions.",
    permissions=("cloudformation:DescribeStackSet",),
    read=read_settings,
    judge=_judge,
)
