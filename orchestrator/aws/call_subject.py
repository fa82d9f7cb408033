"""What a failed call was about: its resource, its caller and that one's account.

AWS often answers with a bare ``Access Denied``. A client that was prepared here notes these beside
the error, so that the message can name them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

_NOTE = "OctoTfSubject"
# The parameters of a request that name its resource, by what they name.
_RESOURCES = {
    "RoleName": "role",
    "PolicyArn": "policy",
    "UserName": "user",
    "Bucket": "bucket",
    "StackSetName": "StackSet",
    "StackName": "stack",
    "ReportName": "report",
    "RoleArn": "role",
    "TypeName": "resource type",
    "ParentId": "organizational unit",
    "AccountId": "account",
}
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html and its neighbours
_ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
}


@dataclass
class Caller:
    """The identity of a session's calls; its ARN is empty until AWS or a role says it."""

    arn: str = ""


@dataclass(frozen=True)
class Subject:
    """A failed call.

    Attributes:
        action: as IAM names it: ``iam:GetRole``.
        resource: like ``role OctoRole``; empty if the call has none.
        caller: the ARN of the identity that made it; empty if unknown.
    """

    action: str
    resource: str = ""
    caller: str = ""

    def __str__(self) -> str:
        account = self.caller.split(":")[4] if self.caller.count(":") > 4 else ""
        parts = [self.action, self.resource, f"account {account}" if account else ""]
        return ", ".join(part for part in parts if part)


def note_subjects(client: Any, caller: Caller) -> None:
    """Have a boto3 client note the subject of each of its calls that AWS refuses.

    Args:
        client: of any service.
        caller: who signs its calls; its ARN is learned from STS.
    """
    signing_name = client.meta.service_model.signing_name

    def before(params: Any, context: dict[str, Any], **_: Any) -> None:
        context[_NOTE] = _resource(params) if isinstance(params, dict) else ""

    def after(
        http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        if http_response.status_code < 300:
            if model.name == "GetCallerIdentity":
                caller.arn = str(parsed.get("Arn", ""))
            return
        action = f"{signing_name}:{model.name}"
        parsed[_NOTE] = Subject(
            _ACTIONS.get(action, action), str(context.get(_NOTE, "")), caller.arn
        )

    # First of all: handlers that come later change the parameters.
    client.meta.events.register_first("provide-client-params.*.*", before)
    client.meta.events.register("after-call.*.*", after)


def subject_of(error: ClientError) -> Subject:
    """Return what a refused call was about; of a client that notes nothing, the operation."""
    noted = error.response.get(_NOTE)
    return noted if isinstance(noted, Subject) else Subject(_operation(error))


def _resource(params: dict[str, Any]) -> str:
    for name, kind in _RESOURCES.items():
        if isinstance(value := params.get(name), str):
            key = params.get("Key") if name == "Bucket" else None
            return f"{kind} {value}/{key}" if key else f"{kind} {value}"
    return ""


def _operation(error: ClientError) -> str:
    return re.sub(r"\s", "", str(error.operation_name))
