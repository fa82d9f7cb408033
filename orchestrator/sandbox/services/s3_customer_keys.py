"""S3: encryption with keys that the customer gives in each call (SSE-C).

Sources: S3 User Guide, "Using server-side encryption with customer-provided keys"; the error texts
were recorded on AWS.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import md5
from typing import Any

from moto.s3.models import FakeDeleteMarker

from orchestrator.sandbox.object_versions import bucket_named, versions_of
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.s3_objects import source_of
from orchestrator.sandbox.state import SandboxState, bucket_owner
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"
OPERATIONS: dict[str, Operation] = {}
_OWN, _OF_SOURCE = "SSECustomer", "CopySourceSSECustomer"
_WRITES = ("CopyObject", "CreateMultipartUpload", "PutObject")
_READS = ("GetObject", "GetObjectAttributes", "HeadObject")
_OF_UPLOAD = ("UploadPart", "UploadPartCopy")
_KEY_BYTES = 32
_MUST = "Requests specifying Server Side Encryption with Customer provided keys must provide "


def check(_state: SandboxState, call: Call) -> None:
    """Refuse keys that are none, or not those of the object.

    Raises:
        ServiceError: as S3 answers.
    """
    if call.operation in (*_WRITES, *_READS, *_OF_UPLOAD):
        _check_given(call, _OWN)
    if call.operation in _READS:
        _check_object(call, call.uri["Bucket"], call.uri["Key"], call.parameters.get("VersionId"))
    if call.operation in ("CopyObject", "UploadPartCopy"):
        bucket, key, version = source_of(call)
        _check_given(call, _OF_SOURCE)
        if bucket_owner(bucket):
            _check_object(call, bucket, key, version, _OF_SOURCE)
    if call.operation in _OF_UPLOAD:
        _check_upload(call)


def _check_given(call: Call, name: str) -> None:
    given = call.parameters
    names = (f"{name}Algorithm", f"{name}Key", f"{name}KeyMD5")
    algorithm, key, digest = (given.get(each) for each in names)
    if not any(each in given for each in names):
        return
    if name == _OWN and (method := given.get("ServerSideEncryption")):
        raise _invalid(
            "Server Side Encryption with Customer provided key is incompatible with the encryption"
            " method specified",
            method,
        )
    if algorithm and algorithm != "AES256":
        raise ServiceError(
            "InvalidEncryptionAlgorithmError",
            "The Encryption request you specified is not valid. Supported value: AES256.",
            ArgumentName="x-amz-server-side-encryption",
            ArgumentValue=algorithm,
        )
    if not algorithm:
        raise _invalid(f"{_MUST}a valid encryption algorithm.")
    if not key:
        raise _invalid(f"{_MUST}an appropriate secret key.")
    try:
        content = b64decode(key)
    except ValueError:
        content = b""
    if not digest or len(content) != _KEY_BYTES:
        raise _invalid("The secret key was invalid for the specified algorithm.")
    if digest != b64encode(md5(content, usedforsecurity=False).digest()).decode():
        raise _invalid(
            "The calculated MD5 hash of the key did not match the hash that was provided."
        )


def _invalid(message: str, value: str = "") -> ServiceError:
    named = {"ArgumentName": "x-amz-server-side-encryption"}
    if value:
        named["ArgumentValue"] = value
    return ServiceError("InvalidArgument", message, 400, **named)


def _check_object(call: Call, bucket: str, key: str, version: str | None, name: str = _OWN) -> None:
    """Compare the key that a call gives with the one that the object was written with."""
    versions = versions_of(bucket, key)
    if version is not None:
        versions = [v for v in versions if str(v.version_id) == version]
    if not versions or isinstance(versions[-1], FakeDeleteMarker):
        return
    given, digest = call.parameters.get(f"{name}KeyMD5"), customer_key(versions[-1])
    if digest and not given:
        raise ServiceError(
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. The correct parameters"
            " must be provided to retrieve the object.",
        )
    if given and not digest:
        raise ServiceError(
            "InvalidRequest", "The encryption parameters are not applicable to this object."
        )
    if given != digest:
        raise ServiceError("AccessDenied", f"{_MUST}the correct secret key.", 403)


def _check_upload(call: Call) -> None:
    upload = bucket_named(call.uri["Bucket"]).multiparts.get(call.parameters["UploadId"])
    given, digest = call.parameters.get(f"{_OWN}KeyMD5"), customer_key(upload)
    if upload is None or given == digest:
        return
    if given and digest:
        text = "The provided encryption parameters did not match the ones used originally."
    else:
        text = (
            "The multipart upload initiate requested encryption. Subsequent part requests must"
            " include the appropriate encryption parameters."
        )
    raise ServiceError("InvalidRequest", text)


def customer_key(held: Any) -> str | None:
    """Get the MD5 digest of the customer's key that an object or upload is encrypted with."""
    found: str | None = getattr(held, "customer_key", None)
    return found
