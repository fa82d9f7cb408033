"""Who may use the KMS key of a bucket: its policy decides, as when S3 asks KMS on real AWS.

Source: S3 User Guide, "Using server-side encryption with AWS KMS keys": who writes needs
kms:GenerateDataKey, who reads kms:Decrypt. The objects of a bucket with default encryption by a
KMS key are taken to be encrypted by that key.
"""

from __future__ import annotations

from typing import Any

from moto.kms.models import kms_backends

from orchestrator.sandbox.policy import (
    AccessRequest,
    Decision,
    PolicySet,
    decide_all,
    parse_policy,
)
from orchestrator.sandbox.state import Caller, bucket_owner, identity_policies, s3

KEY_OF_AWS = "alias/aws/s3"


def may_use_key(bucket: str, request: AccessRequest, caller: Caller | None) -> Decision:
    """Decide a KMS action on the key of a bucket; allowed if the bucket has none.

    Args:
        bucket: the bucket's name.
        request: the action, with the caller's names and context.
        caller: whose own policies count; None for a service.
    """
    owner = bucket_owner(bucket)
    found: Any = s3(owner).get_bucket(bucket) if owner else None
    encryption = _default_encryption(found)
    if owner is None or not encryption.get("SSEAlgorithm", "").startswith("aws:kms"):
        return "allowed"
    name = encryption.get("KMSMasterKeyID") or KEY_OF_AWS
    key = find_key(name, owner, found.region_name)
    if is_of_aws(name, key):
        # Its policy lets in the account's own principals, by way of S3, and no service.
        return "allowed" if caller and caller.account_id == owner else "implicitDeny"
    if key is None or not key.enabled:
        return "implicitDeny"
    policies, boundary = (
        identity_policies(caller.account_id, caller.kind, caller.name) if caller else (None, [])
    )
    return decide_all(
        PolicySet(
            policies,
            boundary,
            parse_policy(key.policy),
            session=list(caller.session_policies) if caller else [],
            resource_decides=True,
        ),
        AccessRequest(
            request.action,
            key.arn,
            {**request.context, "kms:ViaService": f"s3.{found.region_name}.amazonaws.com"},
            request.principals,
        ),
        same_account=caller is None or caller.account_id == key.account_id,
    )


def _default_encryption(bucket: Any) -> dict[str, str]:
    rule = (getattr(bucket, "encryption", None) or {}).get("Rule", {})
    rule = rule[0] if isinstance(rule, list) else rule
    return dict(rule.get("ApplyServerSideEncryptionByDefault", {}))


def is_of_aws(name: str, key: Any | None) -> bool:
    """Whether a key, called by that name, is managed by AWS."""
    return any(alias.startswith("alias/aws/") for alias in (name, *(key.aliases if key else ())))


def find_key(name: str, account_id: str, region: str) -> Any | None:
    """Find a key by its id, alias or ARN, which may be of another account."""
    if name.startswith("arn:"):
        _, _, _, region, account_id, name = name.split(":", 5)
    keys = kms_backends[account_id][region].keys.values()
    return next((k for k in keys if name in (k.id, f"key/{k.id}", *k.aliases)), None)
