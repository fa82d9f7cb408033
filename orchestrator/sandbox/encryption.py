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
    owner, found = _bucket(bucket)
    name = _key_name(found)
    if owner is None or not name:
        return "allowed"
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
        _on_key(request, key, found.region_name),
        same_account=caller is None or caller.account_id == key.account_id,
    )


def with_key(bucket: str, request: AccessRequest) -> AccessRequest | None:
    """Name a bucket's own key in a request; None if no key of the account encrypts the bucket."""
    owner, found = _bucket(bucket)
    name = _key_name(found)
    key = find_key(name, owner, found.region_name) if owner and name else None
    if key is None or is_of_aws(name, key):
        return None
    return _on_key(request, key, found.region_name)


def _on_key(request: AccessRequest, key: Any, region: str) -> AccessRequest:
    context = {**request.context, "kms:ViaService": f"s3.{region}.amazonaws.com"}
    return AccessRequest(request.action, key.arn, context, request.principals)


def _bucket(name: str) -> tuple[str | None, Any]:
    owner = bucket_owner(name)
    return owner, s3(owner).get_bucket(name) if owner else None


def _key_name(bucket: Any) -> str:
    """Get the key that encrypts a bucket by default; empty if no key of KMS does."""
    rule = (getattr(bucket, "encryption", None) or {}).get("Rule", {})
    rule = rule[0] if isinstance(rule, list) else rule
    encryption = rule.get("ApplyServerSideEncryptionByDefault", {})
    if not encryption.get("SSEAlgorithm", "").startswith("aws:kms"):
        return ""
    return str(encryption.get("KMSMasterKeyID") or KEY_OF_AWS)


def is_of_aws(name: str, key: Any | None) -> bool:
    """Whether a key, called by that name, is managed by AWS."""
    return any(alias.startswith("alias/aws/") for alias in (name, *(key.aliases if key else ())))


def find_key(name: str, account_id: str, region: str) -> Any | None:
    """Find a key by its id, alias or ARN, which may be of another account."""
    if name.startswith("arn:"):
        _, _, _, region, account_id, name = name.split(":", 5)
    keys = kms_backends[account_id][region].keys.values()
    return next((k for k in keys if name in (k.id, f"key/{k.id}", *k.aliases)), None)
