"""What a failed call was about: its resource, its caller and that one's account.

AWS often answers with a bare ``Access Denied``. A client that was prepared here notes these beside
the error, so that the message can name them.
"""

from __future__ import annotations

import os
import re
import traceback
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.session import Session

from orchestrator.model.aws_cli import aws_line

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
    """The identity of a session's calls.

    Attributes:
        arn: its ARN; empty until it is known.
        profile: the AWS profile that the credentials come from; None for the environment's.
        region: the session's.
    """

    arn: str = ""
    profile: str | None = None
    region: str | None = None

    def line(self, *words: str) -> str:
        """Write a command of the AWS CLI that uses this profile and region."""
        return aws_line(*words, profile=self.profile, region=self.region)


@dataclass(frozen=True)
class Subject:
    """A failed call.

    Attributes:
        action: as IAM names it: ``iam:GetRole``.
        resource: like ``role OctoRole``; empty if the call has none.
        caller: the identity that made the call.
    """

    action: str
    resource: str = ""
    caller: Caller = field(default_factory=Caller)

    def __str__(self) -> str:
        arn = self.caller.arn
        account = arn.split(":")[4] if arn.count(":") > 4 else ""
        parts = [self.action, self.resource, f"account {account}" if account else ""]
        return ", ".join(part for part in parts if part)


def note_subjects(client: Any, caller: Caller) -> None:
    """Have a boto3 client note the subject of each of its calls that AWS refuses.

    Args:
        client: of any service.
        caller: who signs its calls; its ARN is learned from STS.
    """
    signing_name = client.meta.service_model.signing_name
    client.octo_tf_caller = caller

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
            _ACTIONS.get(action, action), str(context.get(_NOTE, "")), replace(caller)
        )

    # First of all: handlers that come later change the parameters.
    client.meta.events.register_first("provide-client-params.*.*", before)
    client.meta.events.register("after-call.*.*", after)


def subject_of(error: ClientError) -> Subject:
    """Return what a refused call was about; of a client that notes nothing, the operation."""
    noted = error.response.get(_NOTE)
    return noted if isinstance(noted, Subject) else Subject(_operation(error))


def caller_of(error: BaseException) -> Caller:
    """Return the identity of a call that got no answer, from the frames of its traceback."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        owner = frame.f_locals.get("self")
        if isinstance(owner, BaseClient) and hasattr(owner, "octo_tf_caller"):
            caller: Caller = owner.octo_tf_caller
            return caller
        if isinstance(owner, Session):  # that could create no client
            return Caller(profile=owner.profile)
    return Caller(profile=os.environ.get("AWS_PROFILE"))


def _resource(params: dict[str, Any]) -> str:
    for name, kind in _RESOURCES.items():
        if isinstance(value := params.get(name), str):
            key = params.get("Key") if name == "Bucket" else None
            return f"{kind} {value}/{key}" if key else f"{kind} {value}"
    return ""


def _operation(error: ClientError) -> str:
    return re.sub(r"\s", "", str(error.operation_name))
