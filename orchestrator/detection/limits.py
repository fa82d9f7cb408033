"""Refuse a plan that exceeds AWS's quotas: reports, the size of a bucket policy, roles.

A bucket of another account is refused before that.

Sources: AWS Data Exports User Guide, "Quotas and restrictions"; S3 User Guide, "Bucket policies";
"Setting up an Amazon S3 bucket for Cost and Usage Reports" ("an S3 bucket that you own"); IAM User
Guide, "IAM and AWS STS quotas".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

from orchestrator.aws import cur, iam, s3
from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.aws.session import Aws
from orchestrator.errors import Refused
from orchestrator.model.module_contract.addresses import MERGED_POLICY, MODULE
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.words import counted
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import REPORT

_MOST_REPORTS = 5
_POLICY_BYTES = 20 * 1024
# CUR's pattern for S3Prefix since November 2025
# (https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/963).
_PREFIX = re.compile(r".+[^/|.]")
_MERGED = MODULE + MERGED_POLICY


def check_plan(
    aws: Aws, plan: Plan, inputs: Inputs, *, read: Callable[[], Mapping[str, Mapping[str, Any]]]
) -> None:
    """Refuse a plan that goes beyond AWS's quotas, or makes a report that AWS refuses.

    Args:
        read: returns the planned values by address; called only if a policy is merged.

    Raises:
        Refused: it does.
        ServiceError: the reports may not be read.
    """
    actions, is_new = [c.action for c in plan.changes if c.type == REPORT], False
    if actions == ["create"]:
        names = [found["ReportName"] for found in cur.list_reports(aws)]
        is_new = inputs.cur_report_name not in names
        if is_new and len(names) >= _MOST_REPORTS:
            raise Refused(
                f"the account has {len(names)} reports ({', '.join(sorted(names))}), and AWS allows"
                f" {_MOST_REPORTS}; nothing was written",
                hint="Delete one that nobody reads (Billing, Data Exports), or adopt one with"
                " octo-tf adopt.",
            )
    if (is_new or actions == ["replace"]) and not takes_prefix(inputs.cur_s3_prefix):
        refuse_prefix(inputs.cur_s3_prefix)
    if any(change.address == _MERGED and change.action != "delete" for change in plan.changes):
        policy = str(read().get(_MERGED, {}).get("policy") or "")
        if (size := len(policy.encode())) > _POLICY_BYTES:
            raise Refused(
                f"the bucket's policy would have {size:,} bytes with octo-tf's statements, and S3"
                f" allows {_POLICY_BYTES:,}; nothing was written",
                hint="Shorten the bucket's policy, or choose another bucket (cur_s3_bucket_name).",
            )


def takes_prefix(prefix: str) -> bool:
    """Tell whether AWS takes a prefix for a new report; one that exists may have any."""
    return _PREFIX.fullmatch(prefix) is not None


def refuse_prefix(prefix: str) -> NoReturn:
    """Refuse a report that would be created with a prefix that AWS does not take.

    Raises:
        Refused: always.
    """
    raise Refused(
        f"AWS creates no report with the prefix {prefix}: it needs at least two characters, and no"
        " dot at its end; nothing was written",
        where="cur_s3_prefix",
        hint="Set cur_s3_prefix to another prefix.",
    )


def check_roles(aws: Aws, plan: Plan, imported: Collection[str]) -> None:
    """Refuse a plan that creates more IAM roles than the account's quota still allows.

    If the caller may not read the quota, the plan is not checked: AWS refuses during the apply.

    Args:
        imported: the addresses of what exists, and is imported instead.

    Raises:
        Refused: the plan creates more roles than the quota allows.
        ServiceError: a call failed, other than for a missing permission.
    """
    created = {c.address for c in plan.changes if (c.type, c.action) == ("aws_iam_role", "create")}
    if not (wanted := len(created.difference(imported))):
        return
    try:
        free = iam.free_roles(aws)
    except ServiceError as error:
        if not is_denied(error):
            raise
        return
    if free < wanted:
        raise Refused(
            f"the plan creates {counted(wanted, 'role')}, and the account's quota"
            f" allows {free} more; nothing was written",
            hint=iam.ROLE_QUOTA_HINT,
        )


def check_bucket(aws: Aws, bucket: str, account_id: str) -> None:
    """Refuse a bucket of another account: AWS delivers only to the report's own account.

    Raises:
        Refused: the bucket is another account's, or may be.
        ServiceError: the bucket's region cannot be asked for.
    """
    try:
        s3.bucket_region(aws, bucket, account_id)
    except ServiceError as error:
        if not is_denied(error):
            raise
        try:
            own = s3.creation_dates(aws)
        except ServiceError:
            doubt = ", or s3:GetBucketLocation is denied on it"
        else:
            if bucket in own:
                return  # the check cur_s3.bucket names the permission
            doubt = ""
        raise Refused(
            f"the bucket {bucket} belongs to another account than {account_id}{doubt}; nothing was"
            " written",
            where="cur_s3_bucket_name",
            hint=f"Name a bucket of account {account_id}: AWS delivers a report only to a bucket of"
            " the report's own account.",
        ) from error
