"""Read KMS keys: who manages them, and their policies."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws

S3_KEY = "alias/aws/s3"  # the key of AWS that SSE-KMS uses where none is named


@dataclass(frozen=True)
class Key:
    """A KMS key.

    Attributes:
        arn: its ARN.
        is_of_aws: whether AWS manages it (``aws/s3``); its policy cannot be changed.
        state: ``Enabled``, ``Disabled``, ``PendingDeletion``, ...
        policy: its policy, JSON text; empty for a key of AWS.
    """

    arn: str
    is_of_aws: bool
    state: str
    policy: str = ""


@fact
def read_key(aws: Aws, key: str, region: str) -> Key:
    """Read a key by its id, ARN or alias (DescribeKey, GetKeyPolicy).

    Raises:
        ServiceError: there is no such key in the region, or it may not be read.
    """
    client = aws.client("kms", region)
    found = client.describe_key(KeyId=key)["KeyMetadata"]
    arn, state = found["Arn"], found["KeyState"]
    if found["KeyManager"] == "AWS":
        return Key(arn, True, state)
    return Key(arn, False, state, client.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
