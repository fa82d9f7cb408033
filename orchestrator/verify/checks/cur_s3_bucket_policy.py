"""cur_s3.bucket_policy: the billing service may deliver reports of this account only."""

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from orchestrator.aws.cur import home_region
from orchestrator.model.policy import Statement, as_list, statements
from orchestrator.verify.cur import bucket_policy
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.remedy import ByWay, Remedy, Restore

_SERVICE = "billingreports.amazonaws.com"
_SOURCE_KEYS = ("aws:sourceaccount", "aws:sourcearn")
_EXACT_OR_LIKE = {"stringequals", "stringlike", "arnequals", "arnlike"}


def _run(context: Context) -> Finding:
    cur = context.cur
    bucket = cur.s3_bucket_name
    text = bucket_policy(context)
    needed = json.loads(cur.bucket_policy_statements)
    if text is None:
        return failed(
            f"The bucket {bucket} has no policy, so AWS cannot deliver reports.",
            _hint(context, lacking=True),
            bucket=bucket,
            needed=needed,
        )
    found = statements(text)
    lacking = [
        f"nothing allows the billing service {action} on {resource}"
        for action, resource in _needs(needed)
        if not any(_allows(statement, action, resource, context) for statement in found)
    ]
    names = _names_of(found)
    denying = [name for name, s in names.items() if _denies(s, needed)]
    unlimited = [
        name
        for name, s in names.items()
        if s.get("Effect") == "Allow" and _names(s) and not _is_limited(s)
    ]
    mistakes = [
        *lacking,
        *(f"{name} denies the billing service" for name in denying),
        *(f"{name} allows the billing service to deliver for any account" for name in unlimited),
    ]
    if cur.bucket_policy_management == "module" and not any(map(_requires_tls, found)):
        mistakes.append("nothing denies requests without TLS")
    if mistakes:
        return failed(
            f"{bucket}'s policy is wrong: {'; '.join(mistakes)}.",
            _hint(context, lacking=bool(lacking), denying=denying, unlimited=unlimited),
            bucket=bucket,
            mistakes=mistakes,
            needed=needed,
        )
    return passed(
        f"{bucket}'s policy allows the billing service to deliver for this account only.",
        bucket=bucket,
        statements=len(found),
    )


def _hint(
    context: Context, *, lacking: bool, denying: Sequence[str] = (), unlimited: Sequence[str] = ()
) -> Remedy:
    """Say what ends the mistakes: octo-tf never changes another owner's statement."""
    cur = context.cur
    if cur.bucket_policy_management == "module":
        return Restore("it restores the bucket's policy")
    steps = []
    if denying:
        steps.append(
            f"Exempt the service {_SERVICE} by a condition in {' and '.join(denying)}"
            " of the bucket's policy."
        )
    if unlimited:
        account = context.expected.account_id
        steps.append(
            f"Remove {' and '.join(unlimited)} from the bucket's policy, or limit it by the"
            f' condition "StringEquals": {{"aws:SourceAccount": "{account}"}}.'
        )
    if not lacking:
        return " ".join([*steps, "Then run octo-tf verify."])
    by_hand, needed = "Add these statements to the bucket's policy", cur.bucket_policy_statements
    if cur.bucket_policy_management == "owner":
        merging = "or set cur_s3_bucket_merge_policy: true and run octo-tf apply"
        terraform = f"{by_hand}, {merging}: {needed}"
    else:
        terraform = "Run octo-tf apply: it adds the statements that are missing."
    return ByWay(" ".join([*steps, terraform]), " ".join([*steps, f"{by_hand}: {needed}"]))


def _names_of(found: Sequence[Statement]) -> dict[str, Statement]:
    """Name each statement: by its Sid, or by its position where it has none."""
    return {
        f"statement {statement.get('Sid') or f'number {number}'}": statement
        for number, statement in enumerate(found, start=1)
    }


def _needs(needed: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (action, resource)
        for statement in needed
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]


def _allows(statement: Statement, action: str, resource: str, context: Context) -> bool:
    return (
        statement.get("Effect") == "Allow"
        and _names(statement)
        and _covers(statement, "Action", action.lower(), lower=True)
        and _covers(statement, "Resource", resource)
        and _condition_holds(statement.get("Condition", {}), context)
    )


def _names(statement: Statement) -> bool:
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        return _SERVICE in as_list(principal.get("Service", []))
    return False


def _covers(statement: Statement, element: str, value: str, *, lower: bool = False) -> bool:
    patterns = [str(p).lower() if lower else str(p) for p in as_list(statement.get(element, []))]
    return any(fnmatchcase(value, pattern.replace("[", "[[]")) for pattern in patterns)


def _condition_holds(condition: dict[str, Any], context: Context) -> bool:
    """Tell whether each condition is on the source, and holds for this account's report."""
    expected = context.expected
    region = home_region(context.aws.region)
    source = f"arn:{expected.partition}:cur:{region}:{expected.account_id}:definition/"
    values = {
        "aws:sourceaccount": expected.account_id,
        "aws:sourcearn": source + context.cur.report_name,
    }
    for operator, keys in condition.items():
        for key, patterns in keys.items():
            value = values.get(key.lower())
            if value is None or operator.lower() not in _EXACT_OR_LIKE:
                return False
            literal = operator.lower() == "stringequals"
            if not any(
                pattern == value if literal else fnmatchcase(value, str(pattern))
                for pattern in as_list(patterns)
            ):
                return False
    return True


def _is_limited(statement: Statement) -> bool:
    """Tell whether a condition limits the statement to an account's or a report's deliveries."""
    keys = {str(key).lower() for of in statement.get("Condition", {}).values() for key in of}
    return bool(keys & set(_SOURCE_KEYS))


def _denies(statement: Statement, needed: list[dict[str, Any]]) -> bool:
    """Tell whether a Deny without a condition blocks the delivery; a condition may exempt it."""
    if statement.get("Effect") != "Deny" or statement.get("Condition"):
        return False
    principal = statement.get("Principal")
    everybody = principal == "*" or (
        isinstance(principal, dict)
        and (
            "*" in as_list(principal.get("AWS", [])) or "*" in as_list(principal.get("Service", []))
        )
    )
    return (everybody or _names(statement)) and any(
        _covers(statement, "Action", action.lower(), lower=True)
        and _covers(statement, "Resource", resource)
        for action, resource in _needs(needed)
    )


def _requires_tls(statement: Statement) -> bool:
    keys = statement.get("Condition", {}).get("Bool", {})
    values = {str(key).lower(): as_list(value) for key, value in keys.items()}
    return statement.get("Effect") == "Deny" and values.get("aws:securetransport") in (
        ["false"],
        [False],
    )


CHECK = Check(
    id="cur_s3.bucket_policy",
    promise="The bucket's policy allows the billing service to deliver, for this account only.",
    permissions=("s3:GetBucketPolicy",),
    run=_run,
)
