"""Authorize calls by the policies of the caller, of its organization, and of buckets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox import lookup, services
from orchestrator.sandbox.encryption import (
    check_state,
    find_key,
    is_of_aws,
    key_of_call,
    may_use_key,
    on_key,
)
from orchestrator.sandbox.organization_policies import (
    RESOURCE,
    SERVICE,
    binds,
    decide_for_account,
)
from orchestrator.sandbox.policy import (
    AccessRequest,
    Decision,
    PolicySet,
    decide,
    decide_all,
    parse_policy,
)
from orchestrator.sandbox.services import Permission
from orchestrator.sandbox.state import (
    PARTITION,
    Caller,
    SandboxState,
    bucket_owner,
    iam,
    identity_policies,
    management_account,
    organizations,
    role,
)
from orchestrator.sandbox.wire import Call, ServiceError

# Operations whose permission has another name than the operation
# (Service Authorization Reference, Amazon S3).
S3_ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
_IN_XML = {"s3", "s3control", "iam", "sts", "cloudformation", "cloudwatch"}
_PREFIXES = {"s3control": "s3", "sso-admin": "sso"}  # of actions, where the service has another
_NO_PERMISSION_NEEDED = {
    "sts:GetCallerIdentity",
    "sts:AssumeRole",
    "sts:AssumeRoleWithWebIdentity",
}  # AssumeRole is decided by the trust policy: services/sts.py
_GLOBAL = ("iam", "organizations", "cur", "account")  # their calls are calls to us-east-1
# What S3 asks KMS for where a bucket is encrypted with a key of KMS.
_KEY_ACTIONS = {
    "s3:GetObject": "kms:Decrypt",
    "s3:GetObjectVersion": "kms:Decrypt",
    "s3:PutObject": "kms:GenerateDataKey",
}
_RESOURCE = "resource-based policy"
# How AWS words a denial, by the kind of policy that decided.
_DENIED = " with an explicit deny in {article} {kind}"
_NOT_ALLOWED = " because no {kind} allows the {action} action"


@dataclass(frozen=True)
class Verdict:
    """How a call was decided, by which kind of policy, and by which policy of an organization."""

    decision: Decision
    kind: str = ""
    policy_arn: str = ""

    def reason(self, action: str) -> str:
        """Word the denial as AWS does."""
        if self.decision == "explicitDeny":
            article = "an" if self.kind[:1] in "aeiou" else "a"
            named = f": {self.policy_arn}" if self.policy_arn else ""
            return _DENIED.format(article=article, kind=self.kind) + named
        return _NOT_ALLOWED.format(kind=self.kind, action=action)


def authorize(state: SandboxState, call: Call) -> None:
    """Check that the caller is allowed to make a call.

    Raises:
        ServiceError: AccessDenied, with the message that AWS gives.
    """
    action = f"{call.service}:{call.operation}"
    if action in _NO_PERMISSION_NEEDED:
        return
    if call.service == "s3":
        _check_expected_owner(call)
        action = f"s3:{S3_ACTIONS.get(call.operation, call.operation)}"
    elif call.service in _PREFIXES:
        action = f"{_PREFIXES[call.service]}:{call.operation}"
    named = services.permissions_of(state, call)
    if not any(permission.action == action for permission in named):
        named.insert(0, Permission(action, resource_of(state, call)))
    for needed in named:
        request = AccessRequest(
            needed.action,
            needed.resource or resource_of(state, call),
            {**context_of(call), **needed.context},
            {"AWS": call.caller.names},
        )
        verdict = verdict_for(state, call, request)
        state.accesses.note(call.caller.arn, request, verdict.decision)
        _require(call, request, verdict)
        if request.action in _KEY_ACTIONS:
            _authorize_key(state, call, request)


def _authorize_key(state: SandboxState, call: Call, request: AccessRequest) -> None:
    """Check that the caller may use the KMS key of an object that a call reads or writes."""
    key = key_of_call(call, request.action, request.resource)
    if key is None:
        return
    use = on_key(replace(request, action=_KEY_ACTIONS[request.action]), key)
    verdict = Verdict(may_use_key(key, use, call.caller), _RESOURCE)
    by_identity = identity_verdict(call.caller, use)
    if not is_of_aws(key):
        state.accesses.note(call.caller.arn, use, verdict.decision)
    _require(call, use, by_identity if by_identity.decision == verdict.decision else verdict)
    check_state(key, "KMS.")


def authorize_by_organization(state: SandboxState, call: Call) -> None:
    """Check that the organization's policies allow a call of the StackSets' execution role.

    Raises:
        ServiceError: AccessDenied, with the message that AWS gives.
    """
    if not binds(SERVICE, call.caller.account_id):
        return  # the context of a request takes long to find in a large organization
    request = AccessRequest(
        f"{call.service}:{call.operation}",
        resource_of(state, call),
        context_of(call),
        {"AWS": call.caller.names},
    )
    _require(call, request, _by_organization(SERVICE, call.caller.account_id, request))


def _by_organization(kind: str, account_id: str, request: AccessRequest) -> Verdict:
    found = decide_for_account(kind, account_id, request)
    named = "service control policy" if kind == SERVICE else "resource control policy"
    return Verdict(found.decision, named, found.policy_arn)


def _require(call: Call, request: AccessRequest, verdict: Verdict) -> None:
    if verdict.decision == "allowed":
        return
    if call.service == "ec2":
        raise ServiceError(
            "UnauthorizedOperation",
            f"You are not authorized to perform this operation. User: {call.caller.arn} is not"
            f" authorized to perform: {request.action} on resource: {request.resource}"
            f"{verdict.reason(request.action)}",
            403,
        )
    in_xml = call.service in _IN_XML
    shown = f'"{request.resource}"' if request.action.startswith("s3:") else request.resource
    raise ServiceError(
        "AccessDenied" if in_xml else "AccessDeniedException",
        f"User: {call.caller.arn} is not authorized to perform: {request.action}"
        f" on resource: {shown}{verdict.reason(request.action)}",
        403 if in_xml or call.service == "account" else 400,  # which is REST, with JSON
    )


def _check_expected_owner(call: Call) -> None:
    bucket, expected = call.uri.get("Bucket"), call.parameters.get("ExpectedBucketOwner")
    if not bucket or expected is None:
        return
    if not re.fullmatch(r"\d{12}", expected):
        raise ServiceError(
            "InvalidBucketOwnerAWSAccountID",
            "The value of the expected bucket owner parameter must be an AWS Account ID..."
            f" [{expected}]",
        )
    if bucket_owner(bucket) not in (None, expected):
        raise ServiceError("AccessDenied", "Access Denied", 403)


def verdict_for(state: SandboxState, call: Call, request: AccessRequest) -> Verdict:
    """Combine the policies of caller, bucket and organization; an explicit deny wins.

    Source: IAM User Guide, "Policy evaluation logic".
    """
    caller = call.caller
    bucket = call.uri.get("Bucket") if call.service == "s3" else None
    if call.service == "s3control":
        bucket = call.parameters.get("ResourceArn", "").rpartition(":::")[2]
    owner = bucket_owner(bucket) if bucket else None
    if owner is not None:
        verdict = _by_organization(RESOURCE, owner, request)
        if verdict.decision != "allowed":
            return verdict
    if not caller.path.startswith("/aws-service-role/"):
        verdict = _by_organization(SERVICE, caller.account_id, request)
        if verdict.decision != "allowed":
            return verdict
    by_identity = identity_verdict(caller, request)
    if bucket is None or owner is None or call.operation == "CreateBucket":
        # A name that another account has taken is refused by CreateBucket itself.
        return by_identity
    policies, boundary = identity_policies(caller.account_id, caller.kind, caller.name)
    text = state.bucket_policies.get(bucket)
    decision = decide_all(
        PolicySet(
            policies,
            boundary,
            parse_policy(text) if text else None,
            session=list(caller.session_policies),
        ),
        request,
        same_account=caller.account_id == owner,
    )
    return by_identity if by_identity.decision == decision else Verdict(decision, _RESOURCE)


def identity_verdict(caller: Caller, request: AccessRequest) -> Verdict:
    """Decide by the policies of a user or role, its boundary, and the session's own policies."""
    policies, boundary = identity_policies(caller.account_id, caller.kind, caller.name)
    verdict = Verdict(decide(policies, request), "identity-based policy")
    for kind, documents in (
        ("permissions boundary", boundary),
        ("session policy", list(caller.session_policies)),
    ):
        if documents and verdict.decision == "allowed":
            verdict = Verdict(decide(documents, request), kind)
    return verdict


def context_of(call: Call, resource_account: str = "") -> dict[str, str | list[str]]:
    """Get the condition keys of a call. Source: IAM User Guide, "Global condition context keys"."""
    caller = call.caller
    context: dict[str, str | list[str]] = {
        "aws:SecureTransport": "true",
        "aws:SourceIp": "127.0.0.1",
        "aws:CurrentTime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:PrincipalArn": caller.principal_arn,
        "aws:PrincipalType": "User" if caller.kind == "user" else "AssumedRole",
        "aws:PrincipalIsAWSService": "false",
        "aws:ViaAWSService": "true" if call.called_via else "false",
        "aws:RequestedRegion": "us-east-1" if call.service in _GLOBAL else call.region,
    }
    if caller.kind == "user":
        context["aws:username"] = caller.name
    if call.called_via:
        context["aws:CalledVia"] = [call.called_via]
        context["aws:CalledViaFirst"] = context["aws:CalledViaLast"] = call.called_via
    bucket = call.uri.get("Bucket")
    owner = resource_account or (bucket_owner(bucket) if bucket else None) or caller.account_id
    context.update(_of_account("Principal", caller.account_id), **_of_account("Resource", owner))
    context.update(_of_iam(call) if call.service == "iam" else {})
    tags = [tag for tag in call.parameters.get("Tags") or [] if isinstance(tag, dict)]
    named = {tag["Key"]: tag.get("Value", "") for tag in tags if "Key" in tag}
    context.update({f"aws:RequestTag/{key}": value for key, value in named.items()})
    if named:
        context["aws:TagKeys"] = [*named]
    return context


def _of_account(whose: str, account_id: str) -> dict[str, str | list[str]]:
    """The keys of the account of a principal or a resource, and of its organization."""
    context: dict[str, str | list[str]] = {f"aws:{whose}Account": account_id}
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


def _of_iam(call: Call) -> dict[str, str]:
    """The keys of IAM: the boundary that a role has or is to have, the policy to attach."""
    context = {}
    given = call.parameters.get("PermissionsBoundary")
    if given is None and call.operation != "CreateRole":
        name, user = call.parameters.get("RoleName"), call.parameters.get("UserName")
        holder = (
            role(call.caller.account_id, name)
            if name
            else iam(call.caller.account_id).users.get(user)
        )
        given = getattr(holder, "permissions_boundary_arn", None)
    if given:
        context["iam:PermissionsBoundary"] = given
    if service := call.parameters.get("AWSServiceName"):
        context["iam:AWSServiceName"] = service
    if call.operation.startswith(("Attach", "Detach")):
        context["iam:PolicyARN"] = call.parameters["PolicyArn"]
    return context


def resource_of(state: SandboxState, call: Call) -> str:
    """Get the ARN that a call's permission is checked for; ``*`` if it has no resource.

    Source: Service Authorization Reference.
    """
    if call.service == "s3" and call.uri.get("Bucket"):
        bucket = f"arn:{PARTITION}:s3:::{call.uri['Bucket']}"
        return f"{bucket}/{call.uri['Key']}" if call.uri.get("Key") else bucket
    finder = _RESOURCES.get(call.service)
    return finder(state, call) if finder else "*"


def _iam_resource(_state: SandboxState, call: Call) -> str:
    given, account_id = call.parameters, call.caller.account_id
    arn = f"arn:{PARTITION}:iam::{account_id}"
    if name := given.get("RoleName"):
        held = role(account_id, name)
        return f"{arn}:role{held.path if held else given.get('Path', '/')}{name}"
    if name := given.get("UserName"):
        held = iam(account_id).users.get(name)
        return f"{arn}:user{(held.path if held else given.get('Path')) or '/'}{name}"
    if name := given.get("GroupName"):
        return f"{arn}:group{given.get('Path', '/')}{name}"
    if call.operation == "CreatePolicy":
        return f"{arn}:policy{given.get('Path', '/')}{given['PolicyName']}"
    if call.operation == "CreateServiceLinkedRole":
        return f"{arn}:role/aws-service-role/{given['AWSServiceName']}/*"
    if name := given.get("InstanceProfileName"):
        return f"{arn}:instance-profile{given.get('Path', '/')}{name}"
    if call.operation in ("GetUser", "ListAccessKeys", "CreateAccessKey"):
        return call.caller.arn
    listed = {"ListRoles": "role", "ListUsers": "user", "ListGroups": "group"}.get(call.operation)
    if listed:
        return f"{arn}:{listed}{given.get('PathPrefix', '/')}"
    for name in ("PolicyArn", "PolicySourceArn", "OpenIDConnectProviderArn", "SAMLProviderArn"):
        if name in given:
            return str(given[name])
    return "*"


def _cur_resource(_state: SandboxState, call: Call) -> str:
    name = call.parameters.get("ReportName") or call.parameters.get("ReportDefinition", {}).get(
        "ReportName", ""
    )
    return f"arn:{PARTITION}:cur:us-east-1:{call.caller.account_id}:definition/{name}"


def _cloudformation_resource(state: SandboxState, call: Call) -> str:
    given = call.parameters
    arn = f"arn:{PARTITION}:cloudformation:{call.region}:{call.caller.account_id}"
    if name := given.get("StackSetName"):
        own = state.stack_sets_of(call.caller.account_id, call.region).get(name)
        return f"{arn}:stackset/{own.id if own else f'{name}:*'}"
    if name := given.get("StackName"):
        if name.startswith("arn:"):
            return str(name)
        stacks = state.stacks.get((call.caller.account_id, call.region), [])
        ids = (s.id for s in stacks if s.name == name and s.deleted is None)
        return next(ids, f"{arn}:stack/{name}/*")
    return f"{arn}:stack/*/*" if call.operation == "DescribeStacks" else "*"


def _organizations_resource(_state: SandboxState, call: Call) -> str:
    owner = management_account(call.caller.account_id)
    own = organizations(owner).org
    if own is None:
        return "*"
    arn = f"arn:{PARTITION}:organizations::{owner}"
    given = call.parameters
    if account_id := given.get("AccountId"):
        return f"{arn}:account/{own.id}/{account_id}"
    for name in ("ParentId", "OrganizationalUnitId", "TargetId", "RootId"):
        place = str(given.get(name, ""))
        if place.startswith(("ou-", "r-")):
            return f"{arn}:{'ou' if place.startswith('ou-') else 'root'}/{own.id}/{place}"
    return "*"


def _bucket_resource(_state: SandboxState, call: Call) -> str:
    return str(call.parameters.get("ResourceArn", "*"))


def _kms_resource(_state: SandboxState, call: Call) -> str:
    key_id = call.parameters.get("KeyId")
    key = find_key(key_id, call.caller.account_id, call.region) if key_id else None
    return key.arn if key else "*"


_RESOURCES: dict[str, Callable[[SandboxState, Call], str]] = {
    "cloudformation": _cloudformation_resource,
    "cur": _cur_resource,
    "iam": _iam_resource,
    "kms": _kms_resource,
    "organizations": _organizations_resource,
    "s3control": _bucket_resource,
}
