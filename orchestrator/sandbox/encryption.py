"""The KMS keys of buckets and objects, and who may use them: the key's policy decides.

Sources: S3 User Guide, "Using server-side encryption with AWS KMS keys": who writes needs
kms:GenerateDataKey on the key that is asked for, or on the bucket's; who reads needs kms:Decrypt
on the key that the object was written with. KMS API Reference, "DescribeKey": how keys are named.
Error texts were recorded on AWS.
"""

from __future__ import annotations

import re
from typing import Any

from moto.kms.models import kms_backends

from orchestrator.sandbox.policy import (
    AccessRequest,
    Decision,
    PolicySet,
    decide_all,
    parse_policy,
)
from orchestrator.sandbox.state import PARTITION, Caller, bucket_owner, identity_policies, s3
from orchestrator.sandbox.wire import Call, ServiceError

KEY_OF_AWS = "alias/aws/s3"
_KEY_ID = re.compile(
    r"(mrk-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}", re.IGNORECASE
)
_KMS = ("aws:kms", "aws:kms:dsse")
_PENDING = {"PendingDeletion": "pending deletion", "PendingImport": "pending import"}


def may_use_key(key: Any | None, request: AccessRequest, caller: Caller | None) -> Decision:
    """Decide a KMS action on a key, as when S3 asks KMS; allowed if there is no key.

    Args:
        key: moto's key.
        request: the action, with the caller's names and context.
        caller: whose own policies count; None for a service.
    """
    if key is None:
        return "allowed"
    if is_of_aws(key):
        # Its policy lets in the account's own principals, by way of S3, and no service.
        return "allowed" if caller and caller.account_id == key.account_id else "implicitDeny"
    if not key.enabled and caller is None:
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
        on_key(request, key),
        same_account=caller is None or caller.account_id == key.account_id,
    )


def on_key(request: AccessRequest, key: Any) -> AccessRequest:
    """Make a request on a key that S3 makes for a caller."""
    context = {**request.context, "kms:ViaService": f"s3.{key.region}.amazonaws.com"}
    return AccessRequest(request.action, key.arn, context, request.principals)


def key_of_call(call: Call, action: str, resource: str) -> Any | None:
    """Get the key that a call of S3 uses with a permission; None if it uses none of KMS.

    Raises:
        ServiceError: there is no such key.
    """
    bucket, _, name = resource.partition(":::")[2].partition("/")
    if action == "s3:PutObject":
        return key_to_write(bucket, call.parameters, call.caller.account_id)
    owner = bucket_owner(bucket)
    held = s3(owner).get_object(bucket, name) if owner else None
    return key_of_object(held)


def key_to_write(bucket: str, asked: dict[str, Any], account_id: str) -> Any | None:
    """Get the key that encrypts an object to be written: the one asked for, or the bucket's.

    Args:
        bucket: the bucket's name.
        asked: the call's parameters.
        account_id: the caller's account, in which a key without an ARN is looked for.

    Raises:
        ServiceError: there is no such key.
    """
    owner = bucket_owner(bucket)
    if owner is None:
        return None
    held = s3(owner).get_bucket(bucket)
    algorithm, name = asked.get("ServerSideEncryption"), asked.get("SSEKMSKeyId")
    if algorithm is None:
        default = _default(held)
        algorithm, name = default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
    if algorithm not in _KMS:
        return None
    try:
        if not name or name == KEY_OF_AWS:
            return key_named(KEY_OF_AWS, owner, held.region_name)
        return key_named(name, account_id, held.region_name)
    except ServiceError as error:
        raise ServiceError(f"KMS.{error.code}", error.message) from None


def default_key(bucket: str) -> Any | None:
    """Get the key that a service's objects in a bucket are encrypted with; None without one."""
    return key_to_write(bucket, {}, str(bucket_owner(bucket)))


def key_of_object(held: Any | None) -> Any | None:
    """Get the key that an object was written with; None if Amazon S3's own keys encrypt it."""
    if getattr(held, "encryption", None) not in _KMS:
        return None
    return find_key(str(getattr(held, "kms_key_id", "")), "", "")


def note_key(held: Any, key: Any | None) -> None:
    """Keep the key that an object is written with, whatever its bucket's settings become."""
    held.kms_key_id = key.arn if key else None


def check_state(key: Any, prefix: str = "") -> None:
    """Refuse the use of a key that is disabled, is to be deleted, or has no material yet.

    Raises:
        ServiceError: DisabledException or KMSInvalidStateException.
    """
    if key.key_state in _PENDING:
        raise ServiceError(
            f"{prefix}KMSInvalidStateException", f"{key.arn} is {_PENDING[key.key_state]}."
        )
    if not key.enabled:
        raise ServiceError(f"{prefix}DisabledException", f"{key.arn} is disabled.")


def _default(bucket: Any) -> dict[str, Any]:
    """Get how a bucket's objects are encrypted by default."""
    rule = (getattr(bucket, "encryption", None) or {}).get("Rule", {})
    rule = rule[0] if isinstance(rule, list) else rule
    found: dict[str, Any] = rule.get("ApplyServerSideEncryptionByDefault", {})
    return found


def is_of_aws(key: Any) -> bool:
    """Whether AWS manages a key, such as ``aws/s3``."""
    return bool(key.key_manager == "AWS")


def find_key(name: str, account_id: str, region: str) -> Any | None:
    """Find a key by its id, alias or ARN, which may be of another account."""
    if name.startswith("arn:"):
        _, _, _, region, account_id, name = name.split(":", 5)
    if not account_id:
        return None
    backend = kms_backends[account_id][region]
    if name.startswith("alias/aws/"):
        _make_key_of_aws(backend, name)
    keys = backend.keys.values()
    return next((k for k in keys if name in (k.id, f"key/{k.id}", *k.aliases)), None)


def key_named(name: str, account_id: str, region: str) -> Any:
    """Get a key by its id, alias or ARN, as KMS does.

    Raises:
        ServiceError: NotFoundException.
    """
    place = region
    if name.startswith("arn:"):
        parts = name.split(":", 5)
        if len(parts) < 6 or not parts[5].startswith(("key/", "alias/")):
            raise ServiceError("InvalidArnException", f"Invalid arn {name}")
        _, _, _, place, account_id, name = parts
        name = name.removeprefix("key/")
    if place != region:
        raise ServiceError("NotFoundException", f"Invalid arn {place}")
    key = find_key(name, account_id, region)
    if key is not None:
        return key
    arn = f"arn:{PARTITION}:kms:{region}:{account_id}"
    if name.startswith("alias/"):
        raise ServiceError("NotFoundException", f"Alias {arn}:{name} is not found.")
    if not _KEY_ID.fullmatch(name):
        raise ServiceError("NotFoundException", f"Invalid keyId '{name}'")
    raise ServiceError("NotFoundException", f"Key '{arn}:key/{name}' does not exist")


def _make_key_of_aws(backend: Any, alias: str) -> None:
    """Make a key of AWS when it is first asked for, as moto does, and name who manages it."""
    backend.any_id_to_key_id(alias)
    for key in backend.keys.values():
        if alias in key.aliases:
            key.key_manager = "AWS"
            if alias == KEY_OF_AWS:
                key.description = (
                    "Default key that protects my S3 objects when no other key is defined"
                )
