"""Validate a bucket policy as PutBucketPolicy does, and decide whether it is public.

Source: S3 User Guide, "Bucket policies", "The meaning of public"; real error texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.loaders import Loader

from orchestrator.sandbox import principals
from orchestrator.sandbox.authorization import S3_ACTIONS
from orchestrator.sandbox.policy import as_list, like
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.wire import ServiceError

_MOST_BYTES = 20 * 1024
_VERSIONS = ("2008-10-17", "2012-10-17")
_ELEMENTS = {
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
    *("Resource", "NotResource", "Condition"),
}
_REQUIRED = (
    ("Effect",),
    ("Principal", "NotPrincipal"),
    ("Action", "NotAction"),
    ("Resource", "NotResource"),
)
# Permissions that are no operation of the API (Service Authorization Reference, Amazon S3).
_MORE_ACTIONS = {
    *("BypassGovernanceRetention", "DeleteObjectVersion", "DeleteObjectVersionTagging"),
    *("GetObjectVersion", "GetObjectVersionAcl", "GetObjectVersionAttributes"),
    *("GetObjectVersionForReplication", "GetObjectVersionTagging", "GetObjectVersionTorrent"),
    *("ListBucketMultipartUploads", "ListMultipartUploadParts", "ObjectOwnerOverrideToBucketOwner"),
    *("PutObjectVersionAcl", "PutObjectVersionTagging", "ReplicateDelete", "ReplicateObject"),
    *("ReplicateTags", "InitiateReplication", "PutInventoryConfiguration"),
    *("GetInventoryConfiguration", "PutAnalyticsConfiguration", "GetAnalyticsConfiguration"),
    *("PutMetricsConfiguration", "GetMetricsConfiguration", "PutAccelerateConfiguration"),
    *("PutReplicationConfiguration", "PutIntelligentTieringConfiguration"),
    *(
        "GetIntelligentTieringConfiguration",
        "DeleteBucketWebsite",
        "PutBucketObjectLockConfiguration",
    ),
    *(
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
        "GetBucketPolicyStatus",
        "GetBucketCORS",
    ),
}
_OBJECT_ACTIONS = ("object", "upload", "bypassgovernance", "replicate", "initiatereplication")
_NOT_OF_OBJECTS = ("objectlockconfiguration", "multipartuploads")
# A condition on one of these keys with fixed values makes a statement not public.
_FIXED_KEYS = {
    *("aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner"),
    *("aws:sourceaccount", "aws:userid", "aws:principalorgid", "aws:principalorgpaths"),
    *("aws:principalarn", "aws:principalaccount", "s3:dataaccesspointarn"),
    *("s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id"),
}


def parse(state: SandboxState, bucket: str, text: str) -> dict[str, Any]:
    """Parse a bucket policy.

    Raises:
        ServiceError: MalformedPolicy, with S3's words.
    """
    if not text.startswith("{"):
        raise _malformed("Policies must be valid JSON and the first byte must be '{'")
    try:
        document: dict[str, Any] = json.loads(text)
    except ValueError:
        raise _malformed("This policy contains invalid Json") from None
    if len(json.dumps(document, separators=(",", ":")).encode()) > _MOST_BYTES:
        raise _malformed("Policy exceeds the maximum allowed document size.")
    if "Statement" not in document:
        raise _malformed("Missing required field Statement")
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise _malformed("The policy must contain a valid version string")
    for statement in as_list(document["Statement"]):
        for problem in _problems(state, bucket, statement):
            raise _malformed(problem)
    return document


def _problems(state: SandboxState, bucket: str, statement: Any) -> Iterator[str]:
    for names in _REQUIRED:
        if not set(names) & statement.keys():
            yield f"Missing required field {names[0]}"
    for unknown in sorted(statement.keys() - _ELEMENTS):
        yield f"Unknown field {unknown}"
    if statement["Effect"] not in ("Allow", "Deny"):
        yield f"Invalid effect: {statement['Effect']}"
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if not isinstance(principal, dict) and principal != "*":
        yield "Invalid policy syntax."
    if not all(principals.exists(state, kind, name) for kind, name in principals.named(statement)):
        yield "Invalid principal in policy"
    actions = as_list(statement.get("Action", statement.get("NotAction")))
    if not all(_matched(str(action)) for action in actions):
        yield "Policy has invalid action"
    resources = [str(r) for r in as_list(statement.get("Resource", statement.get("NotResource")))]
    arn = f"arn:{PARTITION}:s3:::{bucket}"
    if not all(like(r, arn) or like(r, f"{arn}/{_key(r)}") for r in resources):
        yield "Policy has invalid resource"
    if "Action" in statement and "Resource" in statement:
        of_bucket = any(like(r, arn) for r in resources)
        of_objects = any("/" in r or r.endswith("*") for r in resources)
        for action in actions:
            kinds = {_is_of_objects(name) for name in _matched(str(action))}
            if not ((True in kinds and of_objects) or (False in kinds and of_bucket)):
                yield "Action does not apply to any resource(s) in statement"


def _key(resource: str) -> str:
    return resource.partition("/")[2].replace("*", "x").replace("?", "x")


def _matched(action: str) -> list[str]:
    service, _, name = action.partition(":")
    if action == "*":
        return _known_actions()
    if service.lower() != "s3":
        return []
    return [known for known in _known_actions() if like(name, known, ignore_case=True)]


def _known_actions() -> list[str]:
    if not _KNOWN:
        model = Loader().load_service_model("s3", "service-2")
        operations = {S3_ACTIONS.get(name, name) for name in model["operations"]}
        _KNOWN.extend(sorted(operations | _MORE_ACTIONS | set(S3_ACTIONS.values())))
    return _KNOWN


_KNOWN: list[str] = []


def _is_of_objects(name: str) -> bool:
    text = name.lower()
    return any(part in text for part in _OBJECT_ACTIONS) and not any(
        part in text for part in _NOT_OF_OBJECTS
    )


def is_public(document: dict[str, Any]) -> bool:
    """Whether a policy grants access to everybody, in S3's meaning of public."""
    return any(
        statement["Effect"] == "Allow" and _names_everybody(statement) and not _is_fixed(statement)
        for statement in as_list(document["Statement"])
    )


def _names_everybody(statement: Any) -> bool:
    principal = statement.get("Principal")
    return (
        "NotPrincipal" in statement
        or principal == "*"
        or (isinstance(principal, dict) and "*" in as_list(principal.get("AWS", [])))
    )


def _is_fixed(statement: Any) -> bool:
    for operator, keys in statement.get("Condition", {}).items():
        if "Not" in operator or operator.endswith("IfExists"):
            continue
        for key, values in keys.items():
            if key.lower() in _FIXED_KEYS and all(_has_fixed_owner(v) for v in as_list(values)):
                return True
    return False


def _has_fixed_owner(value: Any) -> bool:
    """Whether a value is fixed; of an ARN, the account."""
    parts = str(value).split(":", 5)
    of_arn = len(parts) == 6 and parts[0] == "arn"
    return "*" not in (parts[4] if of_arn and parts[4] else str(value)) and str(value) not in (
        "0.0.0.0/0",
        "::/0",
    )


def _malformed(message: str) -> ServiceError:
    return ServiceError("MalformedPolicy", message)
