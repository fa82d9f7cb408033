"""stackset.access: Octo gets into each linked account with the external id, nobody without."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from orchestrator.aws import stacksets
from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.roles import WRONG_EXTERNAL_ID, may_assume
from orchestrator.verify.stackset import APPLY, applies, expected, missing

_PARALLEL = 32
_SHOWN = 5


def _run(context: Context) -> Finding:
    principal, wanted = context.principal, expected(context)
    if principal is None:
        return Finding(
            Status.SKIPPED,
            "Credentials of Octo's principal account are not at hand; Octo itself proves this.",
            {},
            "Confirm in Octo, or name a profile with --principal-profile.",
        )
    if stacksets.describe(context.aws, wanted.name) is None:
        return missing(wanted.name)

    def mistake(account_id: str) -> str:
        arn = f"arn:{context.expected.partition}:iam::{account_id}:role/{wanted.role_name}"
        if not may_assume(principal, arn, context.external_id):
            return "Octo is not let in"
        if may_assume(principal, arn, None):
            return "Octo is let in without an external id"
        if may_assume(principal, arn, WRONG_EXTERNAL_ID):
            return "Octo is let in with a wrong external id"
        return ""

    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        # The first accounts are tried while the others are still listed.
        tried = {
            instance.account_id: pool.submit(mistake, instance.account_id)
            for instance in stacksets.instances(context.aws, wanted.name)
            if instance.is_current
        }
    answers = {account_id: answer.result() for account_id, answer in tried.items()}
    wrong = {account_id: answer for account_id, answer in answers.items() if answer}
    evidence: dict[str, object] = {"tried": len(tried), "wrong": wrong}
    if wrong:
        shown = "; ".join(f"{account}: {answer}" for account, answer in [*wrong.items()][:_SHOWN])
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        return Finding(
            Status.FAIL,
            f"{shown}{more}.",
            evidence,
            f"{APPLY} Where a role was changed by hand in the account, octo-tf stackset retry"
            " --account ID makes its stack anew.",
        )
    return Finding(
        Status.PASS,
        f"Octo gets into {len(tried)} linked accounts with the external id, and not without.",
        evidence,
    )


CHECK = Check(
    id="stackset.access",
    area=Area.STACKSET,
    promise="Octo can assume the role in each linked account, with the external id only.",
    permissions=("cloudformation:DescribeStackSet", "cloudformation:ListStackInstances"),
    applies=applies,
    run=_run,
)
