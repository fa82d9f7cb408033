"""stackset.access: Octo can assume the role in each linked account, with the external id only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from orchestrator.aws import cloudformation
from orchestrator.aws.sts import WRONG_EXTERNAL_ID, may_assume
from orchestrator.verify.model import Check, Context, Finding, failed, passed, skipped
from orchestrator.verify.stackset import RESTORE, missing

_PARALLEL = 32
_SHOWN = 5


def _run(context: Context) -> Finding:
    principal, wanted = context.principal, context.stackset
    if principal is None:
        return skipped(
            "Not tried: only Octo's own account can assume the roles.",
            "Octo assumes the roles when you confirm in Octo; with credentials of Octo's account,"
            " name their profile with --principal-profile.",
        )
    found = cloudformation.read_stack_set(context.aws, wanted.name)
    if found is None:
        return missing(wanted.name)

    def mistake(account_id: str) -> str:
        arn = f"arn:{context.expected.partition}:iam::{account_id}:role/{wanted.role_name}"
        if not may_assume(principal, arn, context.external_id):
            return "Octo cannot assume the role"
        if may_assume(principal, arn, None):
            return "the role can be assumed without an external id"
        if may_assume(principal, arn, WRONG_EXTERNAL_ID):
            return "the role can be assumed with a wrong external id"
        return ""

    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        tried = found.current
        answers = dict(zip(tried, pool.map(mistake, tried), strict=True))
    wrong = {account_id: answer for account_id, answer in answers.items() if answer}
    evidence: dict[str, object] = {"tried": len(tried), "wrong": wrong}
    if wrong:
        shown = "; ".join(f"{account}: {answer}" for account, answer in [*wrong.items()][:_SHOWN])
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        return failed(
            f"{shown}{more}.",
            replace(
                RESTORE,
                otherwise="If the role was changed by hand in the account, run octo-tf stackset"
                " retry --account ID: it recreates the account's stack.",
            ),
            **evidence,
        )
    return passed(
        f"Octo can assume the role in {len(tried)} linked account{'' if len(tried) == 1 else 's'},"
        " with the external id only.",
        **evidence,
    )


CHECK = Check(
    id="stackset.access",
    promise="Octo can assume the role in each linked account, with the external id only.",
    permissions=("cloudformation:DescribeStackSet", "cloudformation:ListStackInstances"),
    run=_run,
)
