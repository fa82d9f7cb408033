"""What S3's public access blocks forbid: the bucket's own, and that of its owner's account.

Source: S3 User Guide, "Blocking public access to your Amazon S3 storage": the most restrictive
combination of both applies.
"""

from __future__ import annotations

from typing import Any

from moto.s3control.models import s3control_backends

from orchestrator.sandbox.state import PARTITION, bucket_owner, s3

SETTINGS = {
    "BlockPublicAcls": "block_public_acls",
    "IgnorePublicAcls": "ignore_public_acls",
    "BlockPublicPolicy": "block_public_policy",
    "RestrictPublicBuckets": "restrict_public_buckets",
}


def of_account(account_id: str) -> Any:
    """Get moto's S3 Control backend of an account, which keeps the account's block."""
    return s3control_backends[account_id][PARTITION]


def is_blocked(bucket: str, setting: str) -> bool:
    """Tell whether the bucket's own block or that of its owner's account switches a setting on."""
    owner = str(bucket_owner(bucket))
    holders = (s3(owner).get_bucket(bucket), of_account(owner))
    values = (getattr(held.public_access_block, SETTINGS[setting], False) for held in holders)
    return any(str(value).lower() == "true" for value in values)
