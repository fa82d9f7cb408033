"""stackset.access: Octo can assume its roles in each linked account, with the external id only."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from orchestrator.aws import cloudformation
from orchestrator.aws.session import Aws
from orchestrator.aws.sts import WRONG_EXTERNAL_ID, may_assume
from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.features import feature_roles, table
from orchestrator.model.observed import Observed, Probes
from orchestrator.model.words import counted, listed
from orchestrator.verify.model import Check, Context, Finding, failed, passed, skipped
from orchestrator.verify.stackset import RESTORE, missing

_PARALLEL = 32
_SHOWN = 5


def _read(context: Context) -> Observed:
    if context.principal is None:
        return Observed()
    name = context.desired.stackset.name
    return Observed(stack_set=cloudformation.read_stack_set(context.aws, name))


def _probe(principal: Aws, desired: Desired, observed: Observed) -> Probes:
    roles = _roles(desired)

    def mistake(account_id: str) -> str:
        for name in roles:
            arn = f"arn:{desired.outputs.partition}:iam::{account_id}:role/{name}"
            if not all(may_assume(principal, arn, right) for right in desired.external_ids):
                return f"Octo cannot assume {name}"
            if may_assume(principal, arn, None):
                return f"{name} can be assumed without an external id"
            if may_assume(principal, arn, WRONG_EXTERNAL_ID):
                return f"{name} can be assumed with a wrong external id"
            if any(may_assume(principal, arn, old) for old in desired.acceptance.retired):
                return f"{name} can be assumed with the previous external id"
        return ""

    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        tried = observed.stack_set.current if observed.stack_set else []
        answers = dict(zip(tried, pool.map(mistake, tried), strict=True))
    return Probes(mistakes=answers)


def _judge(desired: Desired, observed: Observed) -> Finding:
    if observed.probes is None:
        return skipped(
            "Not tried: only Octo's own account can assume the roles.",
            "Octo assumes the roles when you confirm in Octo; with credentials of Octo's account,"
            " name their profile with --principal-profile.",
        )
    if observed.stack_set is None:
        return missing(desired.stackset.name)
    roles, tried = _roles(desired), observed.probes.mistakes
    wrong = {account_id: mistake for account_id, mistake in tried.items() if mistake}
    evidence: dict[str, object] = {"tried": len(tried), "roles": roles, "wrong": wrong}
    if wrong:
        said = [f"{account}: {answer}" for account, answer in wrong.items()]
        return failed(
            f"{listed(said, _SHOWN, '; ')}.",
            replace(
                RESTORE,
                otherwise="If the role was changed by hand in the account, run octo-tf stackset"
                " retry --account ID: it recreates the account's stack.",
            ),
            **evidence,
        )
    return passed(
        f"Octo can assume {', '.join(roles)} in {counted(len(tried), 'linked account')}, with the"
        " external id only.",
        **evidence,
    )


def _roles(desired: Desired) -> list[str]:
    """List the roles that the StackSet's template makes for Octo itself."""
    resources = json.loads(desired.stackset.template).get("Resources", {}).values()
    names = {resource.get("Properties", {}).get("RoleName") for resource in resources}
    return [
        desired.stackset.role_name,
        *(
            name
            for name in feature_roles(table().features)
            if name in names and table().roles[name].trust == "external_id"
        ),
    ]


CHECK = Check(
    id="stackset.access",
    promise="Octo can assume its roles in each linked account, with the external id only.",
    permissions=("cloudformation:DescribeStackSet", "cloudformation:ListStackInstances"),
    read=_read,
    judge=_judge,
    probe=_probe,
)
