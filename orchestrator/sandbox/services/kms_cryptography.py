"""KMS: what keys are used for, and the grants of keys.

Source: KMS API Reference, Encrypt, Decrypt, ReEncrypt, GenerateDataKey, GetPublicKey, CreateGrant,
ReplicateKey, GetParametersForImport; real error texts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from moto.kms.exceptions import AccessDeniedException, InvalidCiphertextException
from moto.kms.models import kms_backends
from moto.kms.utils import generate_private_key

from orchestrator.sandbox import principals
from orchestrator.sandbox.encryption import check_state, key_named
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.kms import (
    check_tags,
    check_usage,
    key_of,
    material_of,
    metadata,
)
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "kms"
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_BYTES = {"AES_128": 16, "AES_256": 32}


def _key(call: Call, name: str = "KeyId") -> Any:
    key = key_of(call, name)
    check_state(key)
    check_usage(call, key)
    return key


def _check_dry_run(call: Call) -> None:
    if call.parameters.get("DryRun"):
        raise ServiceError(
            "DryRunOperationException",
            "The request would have succeeded, but the DryRun option is set.",
        )


def _encrypted(key: Any, plaintext: bytes, context: dict[str, str]) -> bytes:
    blob: bytes = kms_backends[key.account_id][key.region].encrypt(key.id, plaintext, context)[0]
    return blob


def encrypt(_state: SandboxState, call: Call) -> dict[str, Any]:
    """Encrypt."""
    key = _key(call)
    _check_dry_run(call)
    given = call.parameters
    return {
        "CiphertextBlob": _encrypted(key, given["Plaintext"], given.get("EncryptionContext", {})),
        "KeyId": key.arn,
        "EncryptionAlgorithm": given.get("EncryptionAlgorithm", _SYMMETRIC),
    }


def generate_data_key(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GenerateDataKey and GenerateDataKeyWithoutPlaintext."""
    given, key = call.parameters, _key(call)
    if bool(given.get("KeySpec")) == bool(given.get("NumberOfBytes")):
        raise ServiceError(
            "ValidationException", "Please specify either number of bytes or key spec."
        )
    _check_dry_run(call)
    backend = kms_backends[key.account_id][key.region]
    size = given.get("NumberOfBytes") or _BYTES[given["KeySpec"]]
    plaintext, blob, _ = backend.generate_data_key(
        key.id, given.get("EncryptionContext", {}), size, ""
    )
    answer = {"CiphertextBlob": blob, "KeyId": key.arn, **material_of(key, "KeyMaterialId")}
    return answer if call.operation.endswith("Plaintext") else {**answer, "Plaintext": plaintext}


def generate_data_key_pair(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext."""
    given, key = call.parameters, _key(call)
    if key.key_spec != _SYMMETRIC:
        raise ServiceError("InvalidKeyUsageException", "")
    _check_dry_run(call)
    pair = generate_private_key(given["KeyPairSpec"])
    private = pair.private_key.private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, encryption_algorithm=NoEncryption()
    )
    answer = {
        "PrivateKeyCiphertextBlob": _encrypted(key, private, given.get("EncryptionContext", {})),
        "PublicKey": pair.public_key(),
        "KeyId": key.arn,
        "KeyPairSpec": given["KeyPairSpec"],
        **material_of(key, "KeyMaterialId"),
    }
    if call.operation.endswith("Plaintext"):
        return answer
    return {**answer, "PrivateKeyPlaintext": private}


def generate_random(_state: SandboxState, call: Call) -> Any:
    """GenerateRandom."""
    if "NumberOfBytes" not in call.parameters:
        raise ServiceError("ValidationException", "NumberOfBytes is required.")
    return TO_MOTO


def verify(_state: SandboxState, call: Call) -> dict[str, Any]:
    """Verify: a signature of another message is an error."""
    given, key = call.parameters, _key(call)
    algorithm = given["SigningAlgorithm"]
    if algorithm not in key.signing_algorithms:
        raise ServiceError(
            "InvalidKeyUsageException",
            f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}.",
        )
    _check_dry_run(call)
    backend = kms_backends[key.account_id][key.region]
    if not backend.verify(key.id, given["Message"], given["Signature"], algorithm)[1]:
        raise ServiceError("KMSInvalidSignatureException", "")
    return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}


def replicate(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ReplicateKey: of a multi-Region primary key, to a Region that has none of it yet."""
    given, key = call.parameters, key_of(call)
    check_state(key)
    region = given["ReplicaRegion"]
    if not key.multi_region or key.multi_region_configuration["PrimaryKey"]["Arn"] != key.arn:
        raise ServiceError(
            "UnsupportedOperationException", f"{key.arn} is not a multi-region primary key."
        )
    if key.id in kms_backends[key.account_id][region].keys:
        raise ServiceError("AlreadyExistsException", "")
    check_tags(given.get("Tags", []))
    replica = kms_backends[key.account_id][key.region].replicate_key(key.id, region)
    replica.multi_region_configuration = {
        **key.multi_region_configuration,
        "MultiRegionKeyType": "REPLICA",
    }
    replica.description = given.get("Description", "")
    replica.policy = given.get("Policy") or replica.generate_default_policy()
    replica.grants, replica.aliases = {}, {}
    tags = given.get("Tags", [])
    described = metadata(replica) | {"Enabled": False, "KeyState": "Creating"}
    described.pop("CurrentKeyMaterialId", None)
    return {"ReplicaKeyMetadata": described, "ReplicaPolicy": replica.policy, "ReplicaTags": tags}


def _decrypted(call: Call, context: str, name: str) -> tuple[bytes, Any]:
    """Decrypt what a call names, with the key that it was encrypted with, which a call may name.

    Raises:
        ServiceError: InvalidCiphertextException, IncorrectKeyException, or of the key.
    """
    given = call.parameters
    backend = kms_backends[call.caller.account_id][call.region]
    if name in given:
        named = key_named(given[name], call.caller.account_id, call.region)
        check_state(named)
        backend = kms_backends[named.account_id][named.region]
    try:
        plaintext, arn = backend.decrypt(given["CiphertextBlob"], given.get(context, {}))
    except (AccessDeniedException, InvalidCiphertextException) as error:
        raise ServiceError(str(error.error_type), "") from None
    key = key_named(arn, call.caller.account_id, call.region)
    if name in given and named is not key:
        raise ServiceError(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        )
    check_state(key)
    return plaintext, key


def decrypt(_state: SandboxState, call: Call) -> dict[str, Any]:
    """Decrypt."""
    plaintext, key = _decrypted(call, "EncryptionContext", "KeyId")
    _check_dry_run(call)
    return {
        "KeyId": key.arn,
        "Plaintext": plaintext,
        "EncryptionAlgorithm": call.parameters.get("EncryptionAlgorithm", _SYMMETRIC),
        **material_of(key, "KeyMaterialId"),
    }


def re_encrypt(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ReEncrypt."""
    given = call.parameters
    target = _key(call, "DestinationKeyId")
    plaintext, source = _decrypted(call, "SourceEncryptionContext", "SourceKeyId")
    _check_dry_run(call)
    context = given.get("DestinationEncryptionContext", {})
    algorithms = ("SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm")
    return {
        "CiphertextBlob": _encrypted(target, plaintext, context),
        "SourceKeyId": source.arn,
        "KeyId": target.arn,
        **{name: given.get(name, _SYMMETRIC) for name in algorithms},
        **material_of(source, "SourceKeyMaterialId"),
        **material_of(target, "DestinationKeyMaterialId"),
    }


def _unsupported(unless: Callable[[Any], Any], text: str = "") -> Operation:
    """Make an operation of moto's that only some keys support."""

    def operation(_state: SandboxState, call: Call) -> Any:
        key = key_of(call)
        if not unless(key):
            raise ServiceError("UnsupportedOperationException", text.format(key))
        return TO_MOTO

    return operation


def get_public_key(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetPublicKey: of an asymmetric key."""
    key = key_of(call)
    if key.key_spec == _SYMMETRIC or key.key_spec.startswith("HMAC"):
        raise ServiceError("UnsupportedOperationException", "")
    check_state(key)
    answer = {
        "KeyId": key.arn,
        "PublicKey": key.private_key.public_key(),
        "CustomerMasterKeySpec": key.key_spec,
        "KeySpec": key.key_spec,
        "KeyUsage": key.key_usage,
        "EncryptionAlgorithms": key.encryption_algorithms,
        "SigningAlgorithms": key.signing_algorithms,
    }
    return {name: value for name, value in answer.items() if value}


def create_grant(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateGrant: to a principal that exists."""
    given, key = call.parameters, key_of(call)
    check_state(key)
    for name in ("GranteePrincipal", "RetiringPrincipal"):
        if name in given and not principals.exists(state, "AWS", given[name]):
            raise ServiceError("InvalidArnException", "ARN does not refer to a valid principal")
    _check_dry_run(call)
    grant = key.grants[
        kms_backends[key.account_id][key.region].create_grant(
            key.id,
            given["GranteePrincipal"],
            given["Operations"],
            given.get("Name"),
            given.get("Constraints"),
            given.get("RetiringPrincipal"),
        )[0]
    ]
    grant.issued_by = f"arn:aws:iam::{call.caller.account_id}:root"
    grant.issued = datetime.now(timezone.utc)
    return {"GrantId": grant.id, "GrantToken": grant.token}


def describe_custom_key_stores(_state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeCustomKeyStores: the sandbox makes none."""
    named = call.parameters.get("CustomKeyStoreId") or call.parameters.get("CustomKeyStoreName")
    if named:
        raise ServiceError("CustomKeyStoreNotFoundException", "")
    return {"CustomKeyStores": [], "Truncated": False}


OPERATIONS: dict[str, Operation] = {
    "CreateGrant": create_grant,
    "Decrypt": decrypt,
    "DescribeCustomKeyStores": describe_custom_key_stores,
    "Encrypt": encrypt,
    **dict.fromkeys(("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"), generate_data_key),
    **dict.fromkeys(
        ("DeleteImportedKeyMaterial", "GetParametersForImport", "ImportKeyMaterial"),
        _unsupported(
            lambda key: key.origin == "EXTERNAL",
            "{0.arn} origin is {0.origin} which is not valid for this operation.",
        ),
    ),
    **dict.fromkeys(
        ("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"), generate_data_key_pair
    ),
    "GenerateRandom": generate_random,
    "GetPublicKey": get_public_key,
    "ReEncrypt": re_encrypt,
    "ReplicateKey": replicate,
    "UpdatePrimaryRegion": _unsupported(lambda key: key.multi_region),
    "Verify": verify,
}
