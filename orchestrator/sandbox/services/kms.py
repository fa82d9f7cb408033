"""KMS: DescribeKey says which keys AWS manages; the rest is moto's."""

from __future__ import annotations

from typing import Any

from moto.kms.models import kms_backends

from orchestrator.sandbox.encryption import find_key, is_of_aws
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call

SERVICE = "kms"


def describe_key(_state: SandboxState, call: Call) -> Any:
    """DescribeKey: KeyManager is AWS for aws/s3 and its like, which moto takes for customers'."""
    if "alias/aws/" in call.parameters["KeyId"]:
        # moto creates the keys of AWS when they are first asked for.
        backend = kms_backends[call.caller.account_id][call.region]
        backend.any_id_to_key_id(call.parameters["KeyId"])
    key = find_key(call.parameters["KeyId"], call.caller.account_id, call.region)
    if key is not None and is_of_aws("", key):
        key.key_manager = "AWS"
    return TO_MOTO


OPERATIONS: dict[str, Operation] = {"DescribeKey": describe_key}
