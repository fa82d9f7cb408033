"""The condition keys of a call, which policies compare: of the request and its caller.

Sources: IAM User Guide, "AWS global condition context keys" and "IAM and AWS STS condition context
keys"; Service Authorization Reference, of each service.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox import lookup
from orchestrator.sandbox.organization_policies import RESOURCE, SERVICE
from orchestrator.sandbox.state import (
    bucket_owner,
    iam,
    management_account,
    organizations,
    role,
)
from orchestrator.sandbox.wire import Call

Context = dict[str, str | list[str]]
_GLOBAL = ("iam", "organizations", "cur", "account")  # their calls are calls to us-east-1
# The keys whose value is a parameter's, by service.
_GIVEN = {
    "cloudformation": {
        "ChangeSetName": "cloudformation:ChangeSetName",
        "Regions": "cloudformation:TargetRegion",
        "ResourceTypes": "cloudformation:ResourceTypes",
        "RoleARN": "cloudformation:RoleArn",
        "AdministrationRoleARN": "cloudformation:RoleArn",
        "StackPolicyURL": "cloudformation:StackPolicyUrl",
        "TemplateURL": "cloudformation:TemplateUrl",
    },
    "iam": {
        "AWSServiceName": "iam:AWSServiceName",
        "PermissionsBoundary": "iam:PermissionsBoundary",
    },
    "kms": {
        "BypassPolicyLockoutSafetyCheck": "kms:BypassPolicyLockoutSafetyCheck",
        "KeySpec": "kms:KeySpec",
        "KeyUsage": "kms:KeyUsage",
        "MultiRegion": "kms:MultiRegion",
        "PendingWindowInDays": "kms:ScheduleKeyDeletionPendingWindowInDays",
    },
    "organizations": {
        "Filter": "organizations:PolicyType",
        "PolicyType": "organizations:PolicyType",
        "ServicePrincipal": "organizations:ServicePrincipal",
    },
    "s3": {
        "ACL": "s3:x-amz-acl",
        "CopySource": "s3:x-amz-copy-source",
        "Delimiter": "s3:delimiter",
        "GrantFullControl": "s3:x-amz-grant-full-control",
        "GrantRead": "s3:x-amz-grant-read",
        "MaxKeys": "s3:max-keys",
        "ObjectOwnership": "s3:x-amz-object-ownership",
        "Prefix": "s3:prefix",
        "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "ServerSideEncryption": "s3:x-amz-server-side-encryption",
        "StorageClass": "s3:x-amz-storage-class",
        "VersionId": "s3:versionid",
    },
    "sts": {
        "DurationSeconds": "sts:DurationSeconds",
        "ExternalId": "sts:ExternalId",
        "RoleSessionName": "sts:RoleSessionName",
        "SourceIdentity": "sts:SourceIdentity",
        "TransitiveTagKeys": "sts:TransitiveTagKeys",
    },
}


_PRINCIPAL_TYPES = {"user": "User", "role": "AssumedRole", "root": "Account"}


def context_of(call: Call, resource_account: str = "") -> Context:
    """Get the condition keys of a call, but for the tags of its resource."""
    caller, given = call.caller, call.parameters
    context: Context = {
        "aws:SecureTransport": "true",
        "aws:SourceIp": "127.0.0.1",
        "aws:UserAgent": call.user_agent,
        "aws:CurrentTime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(time.time())),
        "aws:PrincipalArn": caller.principal_arn,
        "aws:PrincipalType": _PRINCIPAL_TYPES[caller.kind],
        "aws:PrincipalIsAWSService": "false",
        "aws:ViaAWSService": "true" if call.called_via else "false",
        "aws:RequestedRegion": "us-east-1" if call.service in _GLOBAL else call.region,
        **caller.session_context,
    }
    held = holder(caller.account_id, caller.kind, caller.name)
    for key, value in tags_of_holder(caller.account_id, held).items():
        context.setdefault(f"aws:PrincipalTag/{key}", value)
    if caller.kind == "user":
        context["aws:username"] = caller.name
        if ":federated-user/" in caller.arn:
            context["aws:PrincipalType"] = "FederatedUser"
    if held is not None:
        session = f":{caller.arn.rpartition('/')[2]}" if caller.kind == "role" else ""
        context["aws:userid"] = f"{held.id}{session}"
    if call.called_via:
        context["aws:CalledVia"] = [call.called_via]
        context["aws:CalledViaFirst"] = context["aws:CalledViaLast"] = call.called_via
    bucket = call.uri.get("Bucket")
    owner = resource_account or (bucket_owner(bucket) if bucket else None) or caller.account_id
    context.update(_of_account("Principal", caller.account_id), **_of_account("Resource", owner))
    for name, key in _GIVEN.get(call.service, {}).items():
        if given.get(name) is not None:
            context[key] = _text(given[name])
    context.update(_of_service[call.service](call) if call.service in _of_service else {})
    context.update(_of_tags(given))
    return context


def _text(value: Any) -> str | list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_tags(given: Mapping[str, Any]) -> Context:
    """The tags that a request gives: those of a new resource, or a tagging call's."""
    nested = given.get("CreateBucketConfiguration") or {}
    tags = [tag for tag in given.get("Tags") or nested.get("Tags") or [] if isinstance(tag, dict)]
    named = {
        str(tag.get("Key", tag.get("TagKey"))): str(tag.get("Value", tag.get("TagValue", "")))
        for tag in tags
        if "Key" in tag or "TagKey" in tag
    }
    context: Context = {f"aws:RequestTag/{key}": value for key, value in named.items()}
    keys = [*named] or [str(key) for key in given.get("TagKeys") or []]
    if keys:
        context["aws:TagKeys"] = keys
    return context


def _of_account(whose: str, account_id: str) -> Context:
    """The keys of the account of a principal or a resource, and of its organization."""
    context: Context = {f"aws:{whose}Account": account_id}
    own = organization_of(account_id)
    if own is not None:
        context[f"aws:{whose}OrgID"] = own.org.id
        context[f"aws:{whose}OrgPaths"] = [organization_path(own, account_id)]
    return context


def organization_of(account_id: str) -> Any | None:
    """Get moto's organization of an account; None if it is in none."""
    own = organizations(management_account(account_id))
    return own if own.org is not None else None


def organization_path(own: Any, child_id: str) -> str:
    """Get where an account or OU is, as condition keys have it: ``o-.../r-.../ou-.../``."""
    parents = {ou.id: getattr(ou, "parent_id", None) for ou in own.ou}
    account = lookup.member(own, child_id)
    path, parent = "", account.parent_id if account else parents.get(child_id)
    while parent is not None:
        path, parent = f"{parent}/{path}", parents[parent]
    return f"{own.org.id}/{path}"


def _of_iam(call: Call) -> Context:
    """The boundary that a role or user has, and the policy to attach."""
    given, context = call.parameters, Context()
    if "PermissionsBoundary" not in given and call.operation not in ("CreateRole", "CreateUser"):
        name = given.get("RoleName") or given.get("UserName")
        held = holder(call.caller.account_id, "role" if "RoleName" in given else "user", name)
        if boundary := getattr(held, "permissions_boundary_arn", None):
            context["iam:PermissionsBoundary"] = boundary
    if call.operation.startswith(("Attach", "Detach")):
        context["iam:PolicyARN"] = given["PolicyArn"]
    return context


def _of_s3(call: Call) -> Context:
    context: Context = {
        "s3:authType": "REST-HEADER",
        "s3:signatureversion": "AWS4-HMAC-SHA256",
    }
    settings = call.parameters.get("CreateBucketConfiguration") or {}
    if place := settings.get("LocationConstraint"):
        context["s3:LocationConstraint"] = place
    return context


def _of_kms(call: Call) -> Context:
    context: Context = {"kms:CallerAccount": call.caller.account_id}
    given = call.parameters.get("EncryptionContext") or {}
    context.update({f"kms:EncryptionContext:{key}": str(value) for key, value in given.items()})
    if given:
        context["kms:EncryptionContextKeys"] = [*given]
    return context


def _of_organizations(call: Call) -> Context:
    given = call.parameters
    kind = given.get("Type")
    if kind is None and (policy := organization_policy(call)) is not None:
        kind = policy.type
    return {"organizations:PolicyType": kind} if kind in (SERVICE, RESOURCE) else {}


_of_service: dict[str, Callable[[Call], Context]] = {
    "iam": _of_iam,
    "kms": _of_kms,
    "organizations": _of_organizations,
    "s3": _of_s3,
}


def organization_policy(call: Call) -> Any | None:
    """Get moto's policy of an organization that a call is about; None if it is about none."""
    wanted = call.parameters.get("PolicyId") or call.parameters.get("ResourceId")
    own = organizations(management_account(call.caller.account_id))
    return next((p for p in own.policies if p.id == wanted), None) if wanted else None


def holder(account_id: str, kind: str, name: str | None) -> Any | None:
    """Get moto's role or user by name."""
    if not name:
        return None
    return role(account_id, name) if kind == "role" else iam(account_id).users.get(name)


def tags_of_holder(account_id: str, held: Any | None) -> dict[str, str]:
    """Get the tags of moto's role or user."""
    if held is None:
        return {}
    tags = getattr(held, "tags", None)
    if tags is None:  # a user's
        tags = iam(account_id).tagger.list_tags_for_resource(held.arn)["Tags"]
    listed = tags.values() if isinstance(tags, dict) else tags
    return {tag["Key"]: str(tag["Value"]) for tag in listed}
