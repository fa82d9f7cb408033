"""Read KMS keys: who manages them, and their policies."""

from __future__ import annotations

from botocore.exceptions import ClientError

from orchestrator.aws.errors import is_denied, is_not_found
from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws
from orchestrator.model.observed import Key


@fact
def read_key(aws: Aws, key: str, region: str) -> Key:
    """Read a key by its id, ARN or alias (DescribeKey, GetKeyPolicy)."""
    client = aws.client("kms", region)
    try:
        found = client.describe_key(KeyId=key)["KeyMetadata"]
        arn, state = found["Arn"], found["KeyState"]
        if found["KeyManager"] == "AWS":
            return Key(arn, True, state)
        policy = client.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
    except ClientError as error:
        if is_denied(error) or is_not_found(error):
            return Key(key, False, "denied" if is_denied(error) else "missing")
        raise
    return Key(arn, False, state, policy)
