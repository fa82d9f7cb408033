"""stackset.set: the StackSet's settings are as the module defines them."""

from __future__ import annotations

import json

from orchestrator.aws import cloudformation
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.stackset import RESTORE, missing


def _run(context: Context) -> Finding:
    wanted = context.stackset
    settings = cloudformation.describe_stack_set(context.aws, wanted.name)
    if settings is None:
        return missing(wanted.name)
    mistakes = []
    if not settings.service_managed:
        mistakes.append("its permissions are not service-managed")
    if "CAPABILITY_NAMED_IAM" not in settings.capabilities:
        mistakes.append("it may not create a role with a name (CAPABILITY_NAMED_IAM)")
    if not _same(settings.template, wanted.template):
        mistakes.append("its template was changed")
    ids = {v for n, v in settings.parameters.items() if n.startswith("ExternalId")}
    if ids != set(context.accepted_ids):
        too = ids > set(context.accepted_ids)
        mistakes.append(f"it gives the roles another external id{', too' if too else ''}")
    trusted = settings.parameters.get("Principal") or "nobody"
    if trusted != (octo := context.expected.api_access.principal):
        mistakes.append(f"its role trusts {trusted}, not Octo's account {octo}")
    if not settings.managed_execution:
        mistakes.append("its operations do not wait for each other (managed execution is off)")
    if mistakes:
        return failed(
            f"StackSet {wanted.name}: {'; '.join(mistakes)}.",
            RESTORE,
            stackset=wanted.name,
            mistakes=mistakes,
        )
    return passed(f"StackSet {wanted.name} is as the module defines it.", stackset=wanted.name)


def _same(actual: str, wanted: str) -> bool:
    try:
        return bool(json.loads(actual) == json.loads(wanted))
    except ValueError:
        return False


CHECK = Check(
    id="stackset.set",
    promise="The StackSet has the module's template, parameters and permissions.",
    permissions=("cloudformation:DescribeStackSet",),
    run=_run,
)
