"""Ask STS: who the caller is, AWS's time, and whether a role may be assumed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from orchestrator.aws.errors import is_denied
from orchestrator.aws.session import AssumeRole, Aws

if TYPE_CHECKING:
    from mypy_boto3_sts.type_defs import GetCallerIdentityResponseTypeDef

WRONG_EXTERNAL_ID = "octo-tf-wrong-external-id"


def caller_identity(aws: Aws) -> GetCallerIdentityResponseTypeDef:
    """Read the caller's account and ARN (GetCallerIdentity)."""
    return aws.client("sts").get_caller_identity()


def server_time(aws: Aws) -> datetime | None:
    """Read AWS's time from the Date header of an answer, an error's included; None without one."""
    try:
        headers = caller_identity(aws)["ResponseMetadata"]["HTTPHeaders"]
    except ClientError as error:
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
    date = headers.get("date")
    return parsedate_to_datetime(date) if date else None


@dataclass(frozen=True)
class RoleAccess:
    """Which external ids a role accepts from a principal: the right one, none, any wrong one.

    ``session`` holds the calls as the role, if the right external id was accepted.
    """

    right: bool
    missing: bool
    wrong: bool
    session: Aws | None


def probe_role(
    principal: Aws, role_arn: str, external_id: str, retired: Iterable[str] = ()
) -> RoleAccess:
    """Assume a role with the right external id, with none, and with wrong ones (AssumeRole).

    ``retired``: ids that were right once.
    """
    session = _assume(principal, role_arn, external_id)
    return RoleAccess(
        right=session is not None,
        missing=may_assume(principal, role_arn, None),
        wrong=any(may_assume(principal, role_arn, i) for i in (WRONG_EXTERNAL_ID, *retired)),
        session=session,
    )


def may_assume(principal: Aws, role_arn: str, external_id: str | None) -> bool:
    """Tell whether the principal may assume the role with this external id (AssumeRole)."""
    return _assume(principal, role_arn, external_id) is not None


def _assume(principal: Aws, role_arn: str, external_id: str | None) -> Aws | None:
    try:
        return principal.assume(
            AssumeRole(role_arn, "octo-tf-verify", external_id, duration_seconds=900)
        )
    except ClientError as error:
        if is_denied(error):
            return None
        raise
