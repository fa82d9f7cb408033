"""S3 Control: the public access block of an account, and the tags of buckets.

Version 6 of the Terraform provider reads and writes these tags here.

Its clients call ``<account id>.<host of the endpoint>``. For a loopback address no such name
resolves, so the sandbox answers as an HTTP proxy too, which octo-tf names to Terraform alone.
Sources: botocore's model of S3 Control; Service Authorization Reference, Amazon S3.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.public_access import SETTINGS, of_account
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.s3_settings import check_tags
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3control"


def put_block(_state: SandboxState, call: Call) -> dict[str, Any]:
    """PutPublicAccessBlock: what is not given is off."""
    asked = call.parameters["PublicAccessBlockConfiguration"]
    if not asked:
        raise ServiceError("InvalidRequest", "Must specify at least one configuration.")
    backend = of_account(call.caller.account_id)
    backend.put_public_access_block(
        call.caller.account_id, {name: asked.get(name, False) for name in SETTINGS}
    )
    return {}


def get_block(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetPublicAccessBlock: a new account has none."""
    held = of_account(call.caller.account_id).public_access_block
    if held is None:
        raise ServiceError(
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
            404,
            AccountId=call.caller.account_id,
        )
    block = {name: getattr(held, attribute) for name, attribute in SETTINGS.items()}
    return {"PublicAccessBlockConfiguration": block}


def delete_block(_state: SandboxState, call: Call) -> dict[str, Any]:
    """DeletePublicAccessBlock: where there is none, it succeeds."""
    of_account(call.caller.account_id).delete_public_access_block(call.caller.account_id)
    return {}


# Kinds that the sandbox never has: the member of an answer that lists them, empty if there is
# none; and the error of a call about one.
_NONE = {
    "ListAccessGrantsInstances": "AccessGrantsInstancesList",
    "ListAccessPoints": "AccessPointList",
    "ListJobs": "Jobs",
    "ListMultiRegionAccessPoints": "AccessPoints",
    "ListStorageLensConfigurations": "",
}
_ABSENT = {
    "GetAccessPoint": ("NoSuchAccessPoint", "The specified accesspoint does not exist"),
    "GetAccessPointPolicy": ("NoSuchAccessPoint", "The specified accesspoint does not exist"),
    "GetAccessPointPolicyStatus": ("NoSuchAccessPoint", "The specified accesspoint does not exist"),
    "DeleteAccessPoint": ("NoSuchAccessPoint", "The specified accesspoint does not exist"),
    "GetStorageLensConfiguration": (
        "NoSuchConfiguration",
        "The specified configuration does not exist.",
    ),
}


def list_none(_state: SandboxState, call: Call) -> dict[str, Any]:
    """List resources of a kind that the sandbox never has."""
    member = _NONE[call.operation]
    return {member: []} if member else {}


def refuse_absent(_state: SandboxState, call: Call) -> dict[str, Any]:
    """Refuse a call about a resource of a kind that the sandbox never has."""
    raise ServiceError(*_ABSENT[call.operation], 404)


def check(_state: SandboxState, call: Call) -> None:
    """Refuse a call about another account than the caller's.

    Raises:
        ServiceError: AccessDenied.
    """
    if call.parameters.get("AccountId") != call.caller.account_id:
        raise ServiceError("AccessDenied", "Access Denied", 403)


def list_tags(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListTagsForResource, of a bucket."""
    return {"Tags": s3(call.caller.account_id).get_bucket_tagging(_bucket(call))["Tags"]}


def tag(_state: SandboxState, call: Call) -> dict[str, Any]:
    """TagResource: tags that are not named stay."""
    _bucket(call)
    check_tags(call.parameters["Tags"])
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
    if owner != call.caller.account_id:
        raise ServiceError("AccessDenied", "Access Denied", 403)
    return bucket


OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(_NONE, list_none),
    **dict.fromkeys(_ABSENT, refuse_absent),
    "DeletePublicAccessBlock": delete_block,
    "GetPublicAccessBlock": get_block,
    "ListTagsForResource": list_tags,
    "PutPublicAccessBlock": put_block,
    "TagResource": tag,
    "UntagResource": untag,
}
