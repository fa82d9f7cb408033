"""S3: what the settings of a bucket may be, checked before moto stores them.

Source: S3 API Reference; the error texts were recorded on AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from orchestrator.sandbox.object_versions import bucket_named
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, bucket_owner
from orchestrator.sandbox.wire import Call, ServiceError, malformed_xml

SERVICE = "s3"
_TAG_TEXT = re.compile(r"[\w\s+\-=.:/@]*")
_MOST_TAGS, _MOST_OBJECT_TAGS = 50, 10
_OF_AWS = {
    False: "System tags cannot be added/updated by requester",
    True: "Your TagKey cannot be prefixed with aws:",
}


def _checked(check: Callable[[Call], None]) -> Operation:
    def operation(_state: SandboxState, call: Call) -> Any:
        check(call)
        return TO_MOTO

    return operation


def _versioning(call: Call) -> None:
    if not call.parameters.get("VersioningConfiguration", {}).get("Status"):
        raise ServiceError(
            "IllegalVersioningConfigurationException", "The Versioning element must be specified"
        )
    mfa_delete = call.parameters["VersioningConfiguration"].get("MFADelete")
    if mfa_delete == "Enabled" and not call.parameters.get("MFA"):  # of the root user
        raise ServiceError(
            "InvalidRequest", "DevPay and Mfa are mutually exclusive authorization methods."
        )
    suspends = call.parameters["VersioningConfiguration"]["Status"] != "Enabled"
    if suspends and bucket_named(call.uri["Bucket"]).object_lock_enabled:
        raise ServiceError(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot"
            " be changed.",
            409,
        )


def _cors(call: Call) -> None:
    for rule in call.parameters["CORSConfiguration"]["CORSRules"]:
        for method in rule.get("AllowedMethods", []):
            if method not in ("GET", "PUT", "HEAD", "POST", "DELETE"):  # moto deletes all rules
                raise ServiceError(
                    "InvalidRequest",
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method}",
                )
        for kind in ("AllowedOrigin", "AllowedHeader"):
            for value in rule.get(f"{kind}s", []):
                if value.count("*") > 1:
                    raise ServiceError(
                        "InvalidRequest", f'{kind} "{value}" can not have more than one wildcard.'
                    )
        for header in rule.get("ExposeHeaders", []):
            if "*" in header:
                raise ServiceError(
                    "InvalidRequest",
                    f'ExposeHeader "{header}" contains wildcard. We currently do not support'
                    " wildcard for ExposeHeader.",
                )


def _replication(call: Call) -> None:
    if bucket_named(call.uri["Bucket"]).versioning_status != "Enabled":
        raise ServiceError(
            "InvalidRequest",
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
            BucketName=call.uri["Bucket"],
        )
    for rule in call.parameters["ReplicationConfiguration"]["Rules"]:
        target = rule["Destination"]["Bucket"].rpartition(":::")[2]
        if bucket_owner(target) is None:
            raise ServiceError("InvalidRequest", "Destination bucket must exist.")
        if bucket_named(target).versioning_status != "Enabled":
            raise ServiceError("InvalidRequest", "Destination bucket must have versioning enabled.")


def _encryption(call: Call) -> None:
    rules = call.parameters["ServerSideEncryptionConfiguration"]["Rules"]
    if len(rules) != 1:
        raise malformed_xml()
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {})
    if default.get("KMSMasterKeyID") and not default["SSEAlgorithm"].startswith("aws:kms"):
        raise ServiceError(
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or"
            " aws:kms:dsse",
            ArgumentName="ApplyServerSideEncryptionByDefault",
        )


def get_encryption(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetBucketEncryption: with the kinds of encryption that the bucket blocks, if any."""
    rule = bucket_named(call.uri["Bucket"]).encryption["Rule"]
    rule = rule[0] if isinstance(rule, list) else rule
    described = {
        "ApplyServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
        "BucketKeyEnabled": str(rule.get("BucketKeyEnabled")).lower() == "true",
    }
    if blocked := (rule.get("BlockedEncryptionTypes") or {}).get("EncryptionType"):
        blocked = blocked if isinstance(blocked, list) else [blocked]
        described["BlockedEncryptionTypes"] = {"EncryptionType": blocked}
    return {"ServerSideEncryptionConfiguration": {"Rules": [described]}}


def _tagging(call: Call) -> None:
    check_tags(call.parameters["Tagging"].get("TagSet", []))


def default_encryption() -> dict[str, Any]:
    """Get the encryption of a bucket that nothing else was asked for, as moto keeps it."""
    return {
        "Rule": {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": "false",
        },
        "IsDefault": True,
    }


def check_tags(tags: list[dict[str, str]], *, of_object: bool = False) -> None:
    """Check the tags of a bucket, or of an object.

    Raises:
        ServiceError: S3 would refuse them.
    """
    if of_object and len(tags) > _MOST_OBJECT_TAGS:
        raise ServiceError("BadRequest", "Object tags cannot be greater than 10")
    if len(tags) > _MOST_TAGS:
        raise ServiceError("BadRequest", "Bucket tag count cannot be greater than 50")
    keys = [tag["Key"] for tag in tags]
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if keys.count(key) > 1:
            raise _invalid_tag("Cannot provide multiple Tags with the same key", key)
        if key.lower().startswith("aws:"):
            raise _invalid_tag(_OF_AWS[of_object], key)
        if not key or len(key) > 128 or not _TAG_TEXT.fullmatch(key):
            raise _invalid_tag("The TagKey you have provided is invalid", key)
        if len(value) > 256 or not _TAG_TEXT.fullmatch(value):
            raise _invalid_tag("The TagValue you have provided is invalid", key, TagValue=value)


def _invalid_tag(message: str, key: str, **members: str) -> ServiceError:
    return ServiceError("InvalidTag", message, 400, TagKey=key, **members)


def _accelerate(call: Call) -> None:
    if "." in call.uri["Bucket"]:
        raise ServiceError(
            "InvalidRequest",
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names",
        )


_LOGGING = {"TargetBucket", "TargetPrefix"}
_NOT_OWN = "The owner for the bucket to be logged and the target bucket must be the same."


def put_logging(_state: SandboxState, call: Call) -> Any:
    """PutBucketLogging: into a bucket of the same owner and region."""
    source = bucket_named(call.uri["Bucket"])
    status = call.parameters.get("BucketLoggingStatus") or {}
    if "LoggingEnabled" in status and not status["LoggingEnabled"].keys() >= _LOGGING:
        raise malformed_xml()
    if target := status.get("LoggingEnabled", {}).get("TargetBucket"):
        owner = bucket_owner(target)
        if owner is None or owner != bucket_owner(call.uri["Bucket"]):
            raise ServiceError(
                "InvalidTargetBucketForLogging",
                "The target bucket for logging does not exist" if owner is None else _NOT_OWN,
                TargetBucket=target,
            )
        region = bucket_named(target).region_name
        if region != source.region_name:
            named = {"TargetBucketLocation": region}
            if source.region_name != "us-east-1":
                named["SourceBucketLocation"] = source.region_name
            raise ServiceError(
                "CrossLocationLoggingProhibitted",
                "Cross S3 location logging not allowed. ",
                403,
                **named,
            )
    source.logging_status = status
    return {}


def get_logging(_state: SandboxState, call: Call) -> Any:
    """GetBucketLogging."""
    return getattr(bucket_named(call.uri["Bucket"]), "logging_status", {})


def get_metadata_configuration(_state: SandboxState, _call: Call) -> Any:
    """GetBucketMetadataConfiguration and GetBucketMetadataTableConfiguration: none is made."""
    raise ServiceError(
        "MetadataConfigurationNotFound", "The metadata configuration was not found", 404
    )


def put_request_payment(_state: SandboxState, call: Call) -> Any:
    """PutBucketRequestPayment."""
    payer = call.parameters["RequestPaymentConfiguration"]["Payer"]
    bucket_named(call.uri["Bucket"]).payer = payer
    return {}


def get_request_payment(_state: SandboxState, call: Call) -> Any:
    """GetBucketRequestPayment: the owner, if nothing else was asked for."""
    return {"Payer": getattr(bucket_named(call.uri["Bucket"]), "payer", "BucketOwner")}


OPERATIONS: dict[str, Operation] = {
    "GetBucketEncryption": get_encryption,
    "GetBucketLogging": get_logging,
    "GetBucketMetadataConfiguration": get_metadata_configuration,
    "GetBucketMetadataTableConfiguration": get_metadata_configuration,
    "GetBucketRequestPayment": get_request_payment,
    "PutBucketAccelerateConfiguration": _checked(_accelerate),
    "PutBucketCors": _checked(_cors),
    "PutBucketEncryption": _checked(_encryption),
    "PutBucketLogging": put_logging,
    "PutBucketRequestPayment": put_request_payment,
    "PutBucketReplication": _checked(_replication),
    "PutBucketTagging": _checked(_tagging),
    "PutBucketVersioning": _checked(_versioning),
}
