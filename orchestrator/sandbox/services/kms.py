"""KMS: keys are named and refused as AWS does, and described with what moto leaves out.

Sources: KMS API Reference; KMS Developer Guide, "Key states of AWS KMS keys"; the error texts
were recorded on AWS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from moto.kms.models import kms_backends

from orchestrator.sandbox import policy_grammar, principals
from orchestrator.sandbox.encryption import check_state, key_named
from orchestrator.sandbox.policy import AccessRequest, as_list, decide
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "kms"
_MOST_TAGS = 50
_DEFAULT_WINDOW, _DEFAULT_PERIOD = 30, 365  # days
# What a key may be asked for while it is disabled, or to be deleted.
_WHEN_DISABLED, _WHEN_PENDING = "when disabled", "when pending deletion"
# What takes an alias, too (API Reference, "KeyId" of each operation).
_BY_ALIAS = (
    *("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair"),
    *("GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac"),
    *("GetPublicKey", "ReEncrypt", "Sign", "Verify", "VerifyMac", "ListAliases"),
)
# What a key must be for.
_BY_MOTO = {
    **dict.fromkeys(("GenerateMac", "VerifyMac"), "GENERATE_VERIFY_MAC"),
    "Sign": "SIGN_VERIFY",
}
_TO_ENCRYPT = (
    *("Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"),
    *("GenerateDataKeyWithoutPlaintext", "ReEncrypt"),
)
_USAGES = {**_BY_MOTO, "Verify": "SIGN_VERIFY", **dict.fromkeys(_TO_ENCRYPT, "ENCRYPT_DECRYPT")}
# What each kind of key may be for; HMAC_* and others are for one thing only.
_USAGES_OF_SPEC = {
    "SYMMETRIC_DEFAULT": ("ENCRYPT_DECRYPT",),
    "HMAC": ("GENERATE_VERIFY_MAC",),
    "RSA": ("ENCRYPT_DECRYPT", "SIGN_VERIFY"),
    "ECC": ("SIGN_VERIFY", "KEY_AGREEMENT"),
    "SM2": ("ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"),
}
_Of = Callable[[Call, Any], Any]


def key_of(call: Call, name: str = "KeyId") -> Any:
    """Get the key that a call names, by an alias only where its operation takes one.

    Raises:
        ServiceError: there is no such key, or it may not be called so.
    """
    given = str(call.parameters[name])
    if ":alias/" in given and call.operation not in _BY_ALIAS:
        raise ServiceError("InvalidArnException", f"ARN does not refer to a key: {given}")
    if given.startswith("alias/") and call.operation not in _BY_ALIAS:
        raise ServiceError("NotFoundException", f"Invalid keyId '{given}'")
    return key_named(given, call.caller.account_id, call.region)


def _on_key(answer: _Of, *states: str) -> Operation:
    def operation(_state: SandboxState, call: Call) -> Any:
        key = key_of(call)
        if key.account_id != call.caller.account_id and call.operation not in _BY_ALIAS:
            raise ServiceError(
                "AccessDeniedException",
                f"User: {call.caller.arn} is not authorized to perform: kms:{call.operation} on"
                f" resource: {key.arn} because no resource-based policy allows the"
                f" kms:{call.operation} action",
            )
        if (key.key_state == "PendingDeletion" and _WHEN_PENDING not in states) or (
            key.key_state != "PendingDeletion" and _WHEN_DISABLED not in states
        ):
            check_state(key)
        return answer(call, key)

    return operation


def check_usage(call: Call, key: Any) -> None:
    """Refuse what a key is not for.

    Raises:
        ServiceError: InvalidKeyUsageException.
    """
    if key.key_usage != _USAGES.get(call.operation, key.key_usage):
        raise ServiceError(
            "InvalidKeyUsageException",
            f"{key.arn} key usage is {key.key_usage} which is not valid for {call.operation}.",
        )


def _by_moto(call: Call, key: Any) -> Any:
    check_usage(call, key)
    return TO_MOTO


def material_of(key: Any, name: str) -> dict[str, str]:
    """Get the id of a key's material by a name; nothing if AWS has not made the material."""
    if key.key_spec != "SYMMETRIC_DEFAULT" or key.origin != "AWS_KMS":
        return {}
    return {name: hashlib.sha256(key.id.encode()).hexdigest()}


def metadata(key: Any) -> dict[str, Any]:
    """Describe a key: moto leaves out the key material, and MACs."""
    described: dict[str, Any] = dict(key.to_dict()["KeyMetadata"])
    described |= material_of(key, "CurrentKeyMaterialId")
    if key.key_usage == "GENERATE_VERIFY_MAC":
        described["MacAlgorithms"] = [key.key_spec.replace("HMAC_", "HMAC_SHA_")]
    if key.key_usage != "ENCRYPT_DECRYPT":
        described.pop("EncryptionAlgorithms")
    if key.key_usage != "SIGN_VERIFY":
        described.pop("SigningAlgorithms")
    return described


def create_key(state: SandboxState, call: Call) -> Any:
    """CreateKey: symmetric and for encryption, unless something else is asked for."""
    given = call.parameters
    if given.get("KeySpec") and given.get("CustomerMasterKeySpec"):
        raise ServiceError(
            "ValidationException",
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request."
            " CustomerMasterKeySpec is deprecated.",
        )
    spec = given.get("KeySpec") or given.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT"
    if spec != "SYMMETRIC_DEFAULT" and not given.get("KeyUsage"):
        raise ServiceError(
            "ValidationException",
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption"
            " keys.",
        )
    usage = given.get("KeyUsage") or "ENCRYPT_DECRYPT"
    usages = _USAGES_OF_SPEC.get(spec if spec in _USAGES_OF_SPEC else spec.partition("_")[0])
    if usages and usage not in usages:
        raise ServiceError(
            "ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}"
        )
    check_tags(given.get("Tags", []))
    if given.get("Policy"):
        _check_policy(state, call, given["Policy"])
    key = kms_backends[call.caller.account_id][call.region].create_key(
        given.get("Policy"),
        usage,
        spec,
        given.get("Description"),
        given.get("Tags"),
        bool(given.get("MultiRegion")),
        given.get("Origin") or "AWS_KMS",
    )
    if key.origin == "EXTERNAL":
        key.enabled, key.key_state = False, "PendingImport"
    return {"KeyMetadata": metadata(key)}


def check_tags(tags: list[dict[str, str]]) -> None:
    """Check the tags of a key.

    Raises:
        ServiceError: KMS would refuse them.
    """
    names = [tag["TagKey"] for tag in tags]
    if len(tags) > _MOST_TAGS:
        raise ServiceError("TagException", "Too many tags")
    if any(name.lower().startswith("aws:") for name in names):
        raise ServiceError("TagException", "Tags beginning with aws: are reserved")
    if len(names) != len(set(names)):
        raise ServiceError("TagException", "Duplicate tag keys")


def _check_policy(state: SandboxState, call: Call, text: str) -> None:
    """Refuse what is no policy, and one after which the caller could not change it any more."""
    try:
        document = policy_grammar.load(text)
    except ValueError:
        raise ServiceError("MalformedPolicyDocumentException", "") from None
    if any(True for _ in policy_grammar.problems(document, syntax="", with_resources=True)):
        raise ServiceError("MalformedPolicyDocumentException", "")
    named = [one for s in as_list(document["Statement"]) for one in principals.named(s)]
    if not all(principals.exists(state, kind, name) for kind, name in named):
        raise ServiceError(
            "MalformedPolicyDocumentException",
            "Policy contains a statement with one or more invalid principals.",
        )
    root = f"arn:aws:iam::{call.caller.account_id}:root"
    names = {"AWS": sorted({*call.caller.names, root, call.caller.account_id})}
    request = AccessRequest("kms:PutKeyPolicy", "*", {}, names)
    if call.parameters.get("BypassPolicyLockoutSafetyCheck") or (
        decide([document], request, resource_policy=True) == "allowed"
    ):
        return
    raise ServiceError(
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
    )


def put_policy(state: SandboxState, call: Call) -> Any:
    """PutKeyPolicy: one that KMS accepts, and that lets its principals change it again."""

    def put(call: Call, key: Any) -> dict[str, Any]:
        _check_policy_name(call)
        _check_policy(state, call, call.parameters["Policy"])
        key.policy = call.parameters["Policy"]
        return {}

    return _on_key(put, *_ANY)(state, call)


def _get_policy(call: Call, key: Any) -> dict[str, Any]:
    _check_policy_name(call)
    return {"Policy": key.policy, "PolicyName": "default"}


def _check_policy_name(call: Call) -> None:
    if call.parameters.get("PolicyName", "default") != "default":
        raise ServiceError("NotFoundException", "No such policy exists")


def _describe(_call: Call, key: Any) -> dict[str, Any]:
    return {"KeyMetadata": metadata(key)}


def _enable(_call: Call, key: Any) -> dict[str, Any]:
    key.enabled, key.key_state = True, "Enabled"
    return {}


def _disable(_call: Call, key: Any) -> dict[str, Any]:
    key.enabled, key.key_state = False, "Disabled"
    return {}


def _schedule_deletion(call: Call, key: Any) -> dict[str, Any]:
    days = call.parameters.get("PendingWindowInDays") or _DEFAULT_WINDOW
    if not 7 <= days <= _DEFAULT_WINDOW:
        raise ServiceError(
            "ValidationException", "PendingWindowInDays must be between 7 and 30 (inclusive)"
        )
    key.enabled, key.key_state = False, "PendingDeletion"
    date = datetime.now(timezone.utc) + timedelta(days=days)
    key.deletion_date = date.replace(tzinfo=None)  # as moto keeps times
    return {
        "KeyId": key.arn,
        "DeletionDate": date,
        "KeyState": key.key_state,
        "PendingWindowInDays": days,
    }


def _cancel_deletion(_call: Call, key: Any) -> dict[str, Any]:
    if key.key_state != "PendingDeletion":
        raise ServiceError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    key.key_state, key.deletion_date = "Disabled", None
    return {"KeyId": key.arn}


def _enable_rotation(call: Call, key: Any) -> dict[str, Any]:
    if key.key_spec != "SYMMETRIC_DEFAULT":
        raise ServiceError("UnsupportedOperationException", "")
    key.key_rotation_status = True
    key.rotation_period = call.parameters.get("RotationPeriodInDays") or _DEFAULT_PERIOD
    key.rotation_start = datetime.now(timezone.utc)
    return {}


def _disable_rotation(_call: Call, key: Any) -> dict[str, Any]:
    key.key_rotation_status = False
    return {}


def _rotation_status(_call: Call, key: Any) -> dict[str, Any]:
    if not key.key_rotation_status or key.key_state == "PendingDeletion":
        return {"KeyId": key.id, "KeyRotationEnabled": False}
    period = getattr(key, "rotation_period", _DEFAULT_PERIOD)
    started = getattr(key, "rotation_start", datetime.now(timezone.utc))
    return {
        "KeyId": key.id,
        "KeyRotationEnabled": True,
        "RotationPeriodInDays": period,
        "NextRotationDate": started + timedelta(days=period),
    }


def _rotate(_call: Call, key: Any) -> dict[str, Any]:
    if key.key_spec != "SYMMETRIC_DEFAULT":
        raise ServiceError("UnsupportedOperationException", "")
    kms_backends[key.account_id][key.region].rotate_key_on_demand(key.id)
    return {"KeyId": key.arn}


def _tag(call: Call, key: Any) -> Any:
    check_tags(call.parameters["Tags"])
    tags = {tag["TagKey"]: tag["TagValue"] for tag in call.parameters["Tags"]}
    kms_backends[key.account_id][key.region].tag_resource(key.id, tags)
    return {}


def _untag(call: Call, key: Any) -> Any:
    kms_backends[key.account_id][key.region].untag_resource(key.id, call.parameters["TagKeys"])
    return {}


def _list_tags(_call: Call, key: Any) -> dict[str, Any]:
    listed = kms_backends[key.account_id][key.region].list_resource_tags(key.id)
    return {"Tags": listed["Tags"], "Truncated": False}


def create_alias(_state: SandboxState, call: Call) -> Any:
    """CreateAlias and UpdateAlias: names of AWS's own aliases are refused."""
    name = call.parameters["AliasName"]
    if not name.startswith("alias/"):
        raise ServiceError(
            "ValidationException",
            'Alias must start with the prefix "alias/". Please see'
            " https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        )
    if name.startswith("alias/aws/"):
        raise ServiceError("NotAuthorizedException", "")
    if call.parameters["TargetKeyId"].startswith("alias/"):
        raise ServiceError("ValidationException", "Aliases must refer to keys. Not aliases")
    key = key_of(call, "TargetKeyId")
    if key.key_state == "PendingDeletion":
        check_state(key)
    return TO_MOTO


_DISABLED, _ANY = (_WHEN_DISABLED,), (_WHEN_DISABLED, _WHEN_PENDING)
OPERATIONS: dict[str, Operation] = {
    "CancelKeyDeletion": _on_key(_cancel_deletion, *_ANY),
    "CreateAlias": create_alias,
    "CreateKey": create_key,
    "DescribeKey": _on_key(_describe, *_ANY),
    "DisableKey": _on_key(_disable, *_DISABLED),
    "DisableKeyRotation": _on_key(_disable_rotation),
    "EnableKey": _on_key(_enable, *_DISABLED),
    "EnableKeyRotation": _on_key(_enable_rotation),
    "GetKeyPolicy": _on_key(_get_policy, *_ANY),
    "GetKeyRotationStatus": _on_key(_rotation_status, *_ANY),
    "ListKeyPolicies": _on_key(lambda *_: {"PolicyNames": ["default"], "Truncated": False}, *_ANY),
    "ListResourceTags": _on_key(_list_tags, *_ANY),
    "PutKeyPolicy": put_policy,
    "RotateKeyOnDemand": _on_key(_rotate),
    "ScheduleKeyDeletion": _on_key(_schedule_deletion, *_DISABLED),
    "TagResource": _on_key(_tag, *_DISABLED),
    "UntagResource": _on_key(_untag, *_DISABLED),
    "UpdateAlias": create_alias,
    "UpdateKeyDescription": _on_key(_by_moto, *_DISABLED),
    **dict.fromkeys(_BY_MOTO, _on_key(_by_moto)),
}
