"""S3: the tags of objects. Source: S3 API Reference; the error texts were recorded on AWS."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Response

from orchestrator.sandbox.object_versions import bucket_named, existing, no_such_key, versions_of
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.s3_settings import check_tags
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"
_TAG_PAIR = re.compile(r"[^=&,]*(=[^=&,]*)?")


def check_tagging_header(call: Call) -> None:
    """Check the tags that are given with an object to be written.

    Raises:
        ServiceError: they are not encoded as S3 asks for it, or refused.
    """
    text = call.parameters.get("Tagging") or ""
    names = [name for name, _ in parse_qsl(text, keep_blank_values=True)]
    if all(map(_TAG_PAIR.fullmatch, text.split("&"))) and len(names) == len(set(names)):
        check_tags(
            [{"Key": k, "Value": v} for k, v in parse_qsl(text, keep_blank_values=True)],
            of_object=True,
        )
        return
    raise ServiceError(
        "InvalidArgument",
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters"
        " without tag name duplicates.",
        ArgumentName="x-amz-tagging",
        ArgumentValue=text,
    )


def _with_version(call: Call, held: Any, status: int) -> Response:
    """Answer without a body, and with the version where there are versions."""
    headers = {}
    if bucket_named(call.uri["Bucket"]).versioning_status:
        headers["x-amz-version-id"] = str(held.version_id)
    return Response(status=status, headers=headers)


def put_tagging(_state: SandboxState, call: Call) -> Response:
    """PutObjectTagging."""
    tags = call.parameters["Tagging"].get("TagSet") or []
    held = existing(call)
    check_tags(tags, of_object=True)
    backend = s3(str(bucket_owner(call.uri["Bucket"])))
    backend.tagger.delete_all_tags_for_resource(held.arn)
    backend.tagger.tag_resource(held.arn, tags)
    return _with_version(call, held, 200)


def get_tagging(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetObjectTagging: of an absent object, S3 names the bucket, too."""
    bucket, key = call.uri["Bucket"], call.uri["Key"]
    if not versions_of(bucket, key):
        raise no_such_key(f"{bucket}/{key}")
    held = existing(call)
    tags = s3(str(bucket_owner(bucket))).get_object_tagging(held)["Tags"]
    versioned = bool(bucket_named(bucket).versioning_status)
    return {"TagSet": tags, **({"VersionId": str(held.version_id)} if versioned else {})}


def delete_tagging(_state: SandboxState, call: Call) -> Response:
    """DeleteObjectTagging."""
    held = existing(call)
    owner = str(bucket_owner(call.uri["Bucket"]))
    s3(owner).tagger.delete_all_tags_for_resource(held.arn)
    return _with_version(call, held, 204)


OPERATIONS: dict[str, Operation] = {
    "DeleteObjectTagging": delete_tagging,
    "GetObjectTagging": get_tagging,
    "PutObjectTagging": put_tagging,
}
