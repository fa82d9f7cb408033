"""Check the documents and sizes of IAM policies as IAM does.

Source: IAM User Guide, "IAM and AWS STS quotas" (white space does not count); real error texts.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy

from orchestrator.sandbox import principals
from orchestrator.sandbox.policy import Document, as_list, parse_policy
from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import ServiceError

_INLINE_BYTES = {"role": 10_240, "user": 2_048, "group": 5_120}  # of all inline policies together
_MANAGED_BYTES = 6_144
_TRUST_BYTES = 2_048
_MOST_ATTACHED = 10
_AWS_MANAGED = re.compile(r"arn:aws[\w-]*:iam::aws:policy/(?:.*/)?([\w+=,.@-]+)")


def check_trust(state: SandboxState, text: str) -> None:
    """Check a trust policy: its size, and that every principal exists.

    Raises:
        ServiceError: MalformedPolicyDocument or LimitExceeded.
    """
    try:
        document = parse_policy(text)
    except ValueError:
        raise _malformed("This policy contains invalid Json") from None
    for statement in as_list(document["Statement"]):
        if "Resource" in statement:
            raise _malformed("Has prohibited field Resource")
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise _malformed("Missing required field Principal")
        for kind, name in principals.named(statement):
            if not principals.exists(state, kind, name):
                raise _malformed(f'Invalid principal in policy: "{kind}":"{name}"')
    if _size(text) > _TRUST_BYTES:
        raise _limit(f"Cannot exceed quota for ACLSizePerRole: {_TRUST_BYTES}")


def check_inline(kind: str, name: str, others: list[str], text: str) -> None:
    """Check an inline policy and, with the holder's other ones, the size of all.

    Raises:
        ServiceError: MalformedPolicyDocument or LimitExceeded.
    """
    _check_no_principal(text)
    most = _INLINE_BYTES[kind]
    if sum(map(_size, others)) + _size(text) > most:
        raise _limit(f"Maximum policy size of {most} bytes exceeded for {kind} {name}")


def check_managed(text: str) -> None:
    """Check the document of a managed policy.

    Raises:
        ServiceError: MalformedPolicyDocument or LimitExceeded.
    """
    _check_no_principal(text)
    if _size(text) > _MANAGED_BYTES:
        raise _limit(f"Cannot exceed quota for PolicySize: {_MANAGED_BYTES}")


def check_attached(holder: Any, arn: str, kind: str) -> None:
    """Check that one more managed policy may be attached.

    Raises:
        ServiceError: LimitExceeded.
    """
    if arn not in holder.managed_policies and len(holder.managed_policies) >= _MOST_ATTACHED:
        raise _limit(f"Cannot exceed quota for PoliciesPer{kind.title()}: {_MOST_ATTACHED}")


def check_boundary(account_id: str, arn: str) -> None:
    """Check that a permissions boundary exists.

    Raises:
        ServiceError: ValidationError or NoSuchEntity.
    """
    check_arn(arn)
    load_aws_managed(account_id, arn)
    if arn not in iam(account_id).managed_policies:
        raise ServiceError(
            "NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.", 404
        )


def check_arn(arn: str) -> None:
    """Check that a text is an ARN.

    Raises:
        ServiceError: ValidationError.
    """
    if not arn.startswith("arn:") or arn.count(":") < 5:
        raise ServiceError("ValidationError", "Invalid ARN:  Could not be parsed!")


def load_aws_managed(account_id: str, arn: str) -> None:
    """Make one of AWS's own managed policies known to an account; all would be 1.8 GB."""
    match = _AWS_MANAGED.fullmatch(arn)
    own = iam(account_id)
    if match is None or arn in own.managed_policies:
        return
    data = _aws_managed().get(match[1])
    if data is not None:
        policy = AWSManagedPolicy.from_data(match[1], account_id, own.region_name, data)
        if policy.arn == arn:
            own.managed_policies[arn] = policy


@cache
def _aws_managed() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(aws_managed_policies_data)
    return loaded


def _check_no_principal(text: str) -> None:
    try:
        document: Document = parse_policy(text)
    except ValueError:
        return  # moto says what is wrong
    for statement in as_list(document["Statement"]):
        if {"Principal", "NotPrincipal"} & statement.keys():
            raise _malformed("Policy document should not specify a principal.")


def _size(text: str) -> int:
    return len(re.sub(r"\s", "", text).encode())


def _malformed(message: str) -> ServiceError:
    return ServiceError("MalformedPolicyDocument", message)


def _limit(message: str) -> ServiceError:
    return ServiceError("LimitExceeded", message, 409)
