"""S3 Control: the tags of buckets, as version 6 of the Terraform provider reads and writes them.

Its clients call ``<account id>.<host of the endpoint>``. For a loopback address no such name
resolves, so the sandbox answers as an HTTP proxy too, which octo-tf names to Terraform alone.
Sources: botocore's model of S3 Control; Service Authorization Reference, Amazon S3.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3control"


def list_tags(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListTagsForResource, of a bucket."""
    return {"Tags": s3(call.caller.account_id).get_bucket_tagging(_bucket(call))["Tags"]}


def tag(_state: SandboxState, call: Call) -> dict[str, Any]:
    """TagResource: tags that are not named stay."""
    _bucket(call)
    tagger = s3(call.caller.account_id).tagger
    tagger.tag_resource(call.parameters["ResourceArn"], call.parameters["Tags"])
    return {}


def untag(_state: SandboxState, call: Call) -> dict[str, Any]:
    """UntagResource: a key that the bucket does not have is no error."""
    _bucket(call)
    tagger = s3(call.caller.account_id).tagger
    tagger.untag_resource_using_names(call.parameters["ResourceArn"], call.parameters["TagKeys"])
    return {}


def _bucket(call: Call) -> str:
    """The bucket of a call; only of the account that the call names, which is the caller's."""
    bucket = str(call.parameters["ResourceArn"]).rpartition(":::")[2]
    owner = bucket_owner(bucket)
    if owner is None:
        raise ServiceError("NoSuchBucket", "The specified bucket does not exist", 404)
    if not owner == call.parameters["AccountId"] == call.caller.account_id:
        raise ServiceError("AccessDenied", "Access Denied", 403)
    return bucket


OPERATIONS: dict[str, Operation] = {
    "ListTagsForResource": list_tags,
    "TagResource": tag,
    "UntagResource": untag,
}
