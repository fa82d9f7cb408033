"""S3: access control lists, and the default settings of a bucket that forbid them.

Sources: S3 User Guide, "Troubleshooting" of Object Ownership, "Access control list (ACL)
overview"; S3 API Reference, PublicAccessBlockConfiguration. Error texts were recorded on AWS.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from orchestrator.sandbox.object_versions import bucket_named, existing
from orchestrator.sandbox.public_access import is_blocked
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import PARTITION, SandboxState, bucket_owner
from orchestrator.sandbox.wire import Call, ServiceError, malformed_xml

SERVICE = "s3"
ENFORCED = "BucketOwnerEnforced"
_GROUPS = "http://acs.amazonaws.com/groups/"
_ALL, _AUTHENTICATED = f"{_GROUPS}global/AllUsers", f"{_GROUPS}global/AuthenticatedUsers"
_LOG = f"{_GROUPS}s3/LogDelivery"
# What a canned ACL grants besides full control for the owner.
_CANNED = {
    "authenticated-read": ((_AUTHENTICATED, "READ"),),
    "aws-exec-read": (),
    "bucket-owner-full-control": (),
    "bucket-owner-read": (),
    "log-delivery-write": ((_LOG, "WRITE"), (_LOG, "READ_ACP")),
    "private": (),
    "public-read": ((_ALL, "READ"),),
    "public-read-write": ((_ALL, "READ"), (_ALL, "WRITE")),
}
_HEADERS = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_GRANTEE = re.compile(r'\s*(\w+)="?([^",]*)"?\s*')
_CANONICAL_ID = re.compile(r"[0-9a-f]{64}")
_Grants = list[dict[str, Any]]


def canonical_id(account_id: str) -> str:
    """Get the id by which S3 names an account as an owner."""
    return hashlib.sha256(f"canonical {account_id}".encode()).hexdigest()


def _full_control(account_id: str) -> dict[str, Any]:
    grantee = {"ID": canonical_id(account_id), "Type": "CanonicalUser"}
    return {"Grantee": grantee, "Permission": "FULL_CONTROL"}


def grants_of(call: Call) -> _Grants | None:
    """Read the grants that a call asks for by a canned ACL, headers or a document.

    Raises:
        ServiceError: they are none that S3 knows, or given in two ways.
    """
    given = call.parameters
    canned, document = given.get("ACL"), given.get("AccessControlPolicy")
    headers = [name for name in _HEADERS if given.get(name)]
    if canned and headers:
        raise ServiceError(
            "InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed"
        )
    if document is not None and (canned or headers):
        raise ServiceError("UnexpectedContent", "This request does not support content")
    if canned:
        if canned not in _CANNED:
            raise ServiceError(
                "InvalidArgument", "", ArgumentName="x-amz-acl", ArgumentValue=canned
            )
        others = [
            {"Grantee": {"URI": group, "Type": "Group"}, "Permission": permission}
            for group, permission in _CANNED[canned]
        ]
        return [_full_control(call.caller.account_id), *others]
    if headers:
        return [grant for name in headers for grant in _of_header(name, given[name])]
    return None if document is None else _of_document(document)


def _of_header(name: str, text: str) -> _Grants:
    header = "x-amz-grant-" + re.sub(r"(?<!^)(?=[A-Z][a-z])|(?=ACP)", "-", name[5:]).lower()
    grants = []
    for part in text.split(","):
        found = _GRANTEE.fullmatch(part)
        if found is None or found[1].lower() not in ("id", "uri", "emailaddress"):
            raise ServiceError(
                "InvalidArgument",
                "Argument format not recognized",
                ArgumentName=header,
                ArgumentValue=text,
            )
        kind = found[1].lower()
        if kind == "uri":
            grantee = {"URI": _group(found[2], "uri"), "Type": "Group"}
        else:
            grantee = {"ID": _user(found[2], "id"), "Type": "CanonicalUser"}
        grants.append({"Grantee": grantee, "Permission": _HEADERS[name]})
    return grants


def _group(uri: str, argument: str) -> str:
    if uri not in (_ALL, _AUTHENTICATED, _LOG):
        raise ServiceError(
            "InvalidArgument", "Invalid group uri", ArgumentName=argument, ArgumentValue=uri
        )
    return uri


def _user(user: str, argument: str) -> str:
    if not _CANONICAL_ID.fullmatch(user):
        raise ServiceError(
            "InvalidArgument", "Invalid id", ArgumentName=argument, ArgumentValue=user
        )
    return user


def _of_document(document: dict[str, Any]) -> _Grants:
    grants: _Grants = document.get("Grants") or []
    malformed = ServiceError("MalformedACLError", malformed_xml().message)
    if not document.get("Owner"):
        raise malformed
    for grant in grants:
        kind = grant.get("Grantee", {}).get("Type")
        if grant.get("Permission") not in _HEADERS.values() or kind not in (
            *("CanonicalUser", "Group", "AmazonCustomerByEmail"),
        ):
            raise malformed
    _user(str(document["Owner"].get("ID")), "CanonicalUser/ID")
    for grant in grants:
        grantee = grant["Grantee"]
        if grantee["Type"] == "Group":
            _group(str(grantee.get("URI")), "Group/URI")
        if grantee["Type"] == "CanonicalUser":
            _user(str(grantee.get("ID")), "CanonicalUser/ID")
    return grants


def is_public(grants: _Grants) -> bool:
    """Whether an ACL lets in everybody, or everybody who has an AWS account."""
    return any(grant["Grantee"].get("URI") in (_ALL, _AUTHENTICATED) for grant in grants)


def check_grants(call: Call, grants: _Grants | None) -> None:
    """Refuse an ACL where the bucket's ownership or its public access block does.

    Raises:
        ServiceError: AccessControlListNotSupported, or AccessDenied for a public ACL.
    """
    if grants is None:
        return
    bucket = call.uri["Bucket"]
    held = bucket_named(bucket)
    owners = call.operation not in ("PutBucketAcl", "PutObjectAcl") and (
        call.parameters.get("ACL") == "bucket-owner-full-control"
    )
    if _ownership(held) == ENFORCED and not owners:
        raise ServiceError("AccessControlListNotSupported", "The bucket does not allow ACLs")
    if is_public(grants) and is_blocked(bucket, "BlockPublicAcls"):
        key = f"/{call.uri['Key']}" if call.uri.get("Key") else ""
        action = call.operation if call.operation.endswith("Acl") else "PutObject"
        raise ServiceError(
            "AccessDenied",
            f"User: {call.caller.arn} is not authorized to perform: s3:{action} on resource:"
            f' "arn:{PARTITION}:s3:::{bucket}{key}" because public ACLs are prevented by the'
            " BlockPublicAcls setting in S3 Block Public Access.",
            403,
        )


def _ownership(held: Any) -> str:
    """Get a bucket's object ownership, which moto keeps as a name or as a document."""
    rule = held.ownership_rule
    if isinstance(rule, dict):
        rules = rule.get("Rule", {})
        rules = rules[0] if isinstance(rules, list) else rules
        rule = rules.get("ObjectOwnership")
    return str(rule)


def check_new_bucket(call: Call, ownership: str) -> None:
    """Refuse an ACL for a bucket that is to be made.

    Raises:
        ServiceError: InvalidBucketAclWithObjectOwnership, or ...WithBlockPublicAccessError.
    """
    grants = grants_of(call)
    if grants is None or call.parameters.get("ACL") == "private":
        return
    if ownership == ENFORCED:
        raise ServiceError(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            BucketName=call.uri["Bucket"],
        )
    if is_public(grants):
        raise ServiceError(
            "InvalidBucketAclWithBlockPublicAccessError",
            "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
            BucketName=call.uri["Bucket"],
        )


def put_acl(_state: SandboxState, call: Call) -> Any:
    """PutBucketAcl and PutObjectAcl."""
    grants = grants_of(call)
    if grants is None:
        raise ServiceError(
            "MissingSecurityHeader",
            "Your request was missing a required header",
            MissingHeaderName="x-amz-acl",
        )
    check_grants(call, grants)
    note_grants(_holder(call), grants)
    return {}


def get_acl(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetBucketAcl and GetObjectAcl: full control for the owner, if nothing else was given."""
    owner = str(bucket_owner(call.uri["Bucket"]))
    given = getattr(_holder(call), "grants", None)
    return {
        "Owner": {"ID": canonical_id(owner)},
        "Grants": [_full_control(owner)] if given is None else given,
    }


def note_grants(holder: Any, grants: _Grants | None) -> None:
    """Keep the ACL of a bucket or object, if one was given."""
    if grants is not None:
        holder.grants = grants


def _holder(call: Call) -> Any:
    if call.uri.get("Key"):
        return existing(call, latest_marker_is_absent=call.operation == "GetObjectAcl")
    return bucket_named(call.uri["Bucket"])


def put_ownership(_state: SandboxState, call: Call) -> Any:
    """PutBucketOwnershipControls: one rule; without ACLs only if the bucket grants nothing."""
    rules = call.parameters["OwnershipControls"]["Rules"]
    if len(rules) != 1:
        raise malformed_xml()
    bucket = call.uri["Bucket"]
    owner = str(bucket_owner(bucket))
    given = getattr(bucket_named(bucket), "grants", None)
    if rules[0]["ObjectOwnership"] == ENFORCED and given not in (None, [_full_control(owner)]):
        raise ServiceError(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            BucketName=bucket,
        )
    return TO_MOTO


OPERATIONS: dict[str, Operation] = {
    "GetBucketAcl": get_acl,
    "GetObjectAcl": get_acl,
    "PutBucketAcl": put_acl,
    "PutBucketOwnershipControls": put_ownership,
    "PutObjectAcl": put_acl,
}
