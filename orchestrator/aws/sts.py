"""Ask STS: who the caller is, AWS's time, and whether a role may be assumed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from orchestrator.aws.errors import is_denied
from orchestrator.aws.facts import fact
from orchestrator.aws.session import AssumeRole, Aws
from orchestrator.model.observed import RoleAccess

if TYPE_CHECKING:
    from mypy_boto3_sts.type_defs import GetCallerIdentityResponseTypeDef

_Session = TypeVar("_Session")
WRONG_EXTERNAL_ID = "octo-tf-wrong-external-id"


@fact
def caller_identity(aws: Aws) -> GetCallerIdentityResponseTypeDef:
    """Read the caller's account and ARN (GetCallerIdentity)."""
    return aws.client("sts").get_caller_identity()


def server_time(aws: Aws) -> datetime | None:
    """Read AWS's time from the Date header of an answer, an error's included; None without one."""
    try:
        answer = aws.client("sts").get_caller_identity()  # a fact would be of another time
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
    except ClientError as error:
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
    date = headers.get("date")
    return parsedate_to_datetime(date) if date else None


def probe_role(
    principal: Aws, role_arn: str, external_id: str, retired: Iterable[str] = ()
) -> tuple[RoleAccess, Aws | None]:
    """Assume a role with the right external id, with none, and with wrong ones (AssumeRole).

    Returns also the calls as the role, if it accepts the right external id.

    ``retired``: ids that were right once.
    """
    right, session = _unless_denied(principal.assume, role_arn, external_id)
    access = RoleAccess(
        right=right,
        missing=may_assume(principal, role_arn, None),
        wrong=any(may_assume(principal, role_arn, i) for i in (WRONG_EXTERNAL_ID, *retired)),
    )
    return access, session


def may_assume(principal: Aws, role_arn: str, external_id: str | None) -> bool:
    """Tell whether the principal may assume the role with this external id (AssumeRole)."""
    return _unless_denied(principal.try_to_assume, role_arn, external_id)[0]


def _unless_denied(
    assume: Callable[[AssumeRole], _Session], role_arn: str, external_id: str | None
) -> tuple[bool, _Session | None]:
    """Assume a role; return whether it was allowed, and what that gave."""
    try:
        return True, assume(AssumeRole(role_arn, "octo-tf-verify", external_id, 900))
    except ClientError as error:
        if is_denied(error):
            return False, None
        raise
