"""The resources that a call's permission is checked on, and the further permissions it needs.

Source: Service Authorization Reference, "Resource types" and "Dependent actions" of each service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from orchestrator.sandbox.encryption import find_key
from orchestrator.sandbox.request_context import organization_policy
from orchestrator.sandbox.state import (
    PARTITION,
    SandboxState,
    iam,
    management_account,
    organizations,
    role,
)
from orchestrator.sandbox.wire import Call

# What a call with tags needs besides, by its operation: a new resource's tags.
_TAGGING = {
    "cur:PutReportDefinition": "cur:TagResource",
    "iam:CreateInstanceProfile": "iam:TagInstanceProfile",
    "iam:CreateOpenIDConnectProvider": "iam:TagOpenIDConnectProvider",
    "iam:CreatePolicy": "iam:TagPolicy",
    "iam:CreateRole": "iam:TagRole",
    "iam:CreateSAMLProvider": "iam:TagSAMLProvider",
    "iam:CreateUser": "iam:TagUser",
    "kms:CreateKey": "kms:TagResource",
    "organizations:CreateAccount": "organizations:TagResource",
    "organizations:CreateOrganizationalUnit": "organizations:TagResource",
    "organizations:CreatePolicy": "organizations:TagResource",
    "organizations:InviteAccountToOrganization": "organizations:TagResource",
}


def resource_of(state: SandboxState, call: Call) -> str:
    """Get the ARN that a call's permission is checked for; ``*`` if it has no resource."""
    return resources_of(state, call)[0]


def resources_of(state: SandboxState, call: Call) -> list[str]:
    """Get every ARN that a call's permission is checked for, the first one first."""
    if call.service == "s3" and call.uri.get("Bucket"):
        bucket = f"arn:{PARTITION}:s3:::{call.uri['Bucket']}"
        return [f"{bucket}/{call.uri['Key']}" if call.uri.get("Key") else bucket]
    finder = _RESOURCES.get(call.service)
    return list(finder(state, call)) if finder else ["*"]


def dependent_permissions(state: SandboxState, call: Call) -> Iterator[tuple[str, str]]:
    """Yield the action and resource of each further permission that a call needs."""
    action = f"{call.service}:{call.operation}"
    if call.parameters.get("Tags") and action in _TAGGING:
        yield _TAGGING[action], resource_of(state, call)
    if action == "iam:AddRoleToInstanceProfile":
        arn = f"arn:{PARTITION}:iam::{call.caller.account_id}:role"
        held = role(call.caller.account_id, call.parameters["RoleName"])
        path = held.path if held else "/"
        yield "iam:PassRole", f"{arn}{path}{call.parameters['RoleName']}"


def _iam_resources(_state: SandboxState, call: Call) -> Iterator[str]:
    given, own = call.parameters, iam(call.caller.account_id)
    arn = f"arn:{PARTITION}:iam::{call.caller.account_id}"
    path = given.get("Path", "/")
    if name := given.get("InstanceProfileName"):
        profiles = own.instance_profiles.values()
        held = next((profile for profile in profiles if profile.name == name), None)
        yield f"{arn}:instance-profile{(held.path if held else path) or '/'}{name}"
    elif name := given.get("RoleName"):
        held = role(call.caller.account_id, name)
        yield f"{arn}:role{held.path if held else path}{name}"
    elif name := given.get("UserName"):
        held = own.users.get(name)
        yield f"{arn}:user{(held.path if held else path) or '/'}{name}"
    elif name := given.get("GroupName"):
        held = own.groups.get(name)
        yield f"{arn}:group{(held.path if held else path) or '/'}{name}"
    elif call.operation == "CreatePolicy":
        yield f"{arn}:policy{path}{given['PolicyName']}"
    elif call.operation == "CreateServiceLinkedRole":
        yield f"{arn}:role/aws-service-role/{given['AWSServiceName']}/*"
    elif call.operation == "GetServiceLinkedRoleDeletionStatus":
        # task/aws-service-role/SERVICE/ROLE/ID
        yield f"{arn}:role/{given['DeletionTaskId'].partition('/')[2].rpartition('/')[0]}"
    elif call.operation == "CreateOpenIDConnectProvider":
        yield f"{arn}:oidc-provider/{given['Url'].partition('://')[2]}"
    elif call.operation == "CreateSAMLProvider":
        yield f"{arn}:saml-provider/{given['Name']}"
    elif call.operation == "ChangePassword":
        yield call.caller.arn
    elif call.operation == "ListPolicies":
        yield f"policy path {given.get('PathPrefix', '/')}"
    elif call.operation in _LISTED:
        yield f"{arn}:{_LISTED[call.operation]}{given.get('PathPrefix', '/')}"
    else:
        yield next((str(given[name]) for name in _ARNS if name in given), "*")


def shown_resource(call: Call, action: str, resource: str) -> str:
    """Get how a denial names a resource: IAM names what is there by its kind and name."""
    given, caller = call.parameters, call.caller
    if action != f"iam:{call.operation}" or call.operation in _BY_ARN:
        return resource
    kinds = (f"{kind} {given[name]}" for name, kind in _SHOWN.items() if name in given)
    own = f"user {caller.name}" if resource == caller.arn and caller.kind == "user" else resource
    return next(kinds, own)


_BY_ARN = ("CreateGroup", "CreateInstanceProfile", "CreateRole", "CreateUser")
_SHOWN = {
    "InstanceProfileName": "instance profile",
    "RoleName": "role",
    "UserName": "user",
    "GroupName": "group",
    "PolicyName": "policy",
    "PolicyArn": "policy",
}
_LISTED = {
    "ListGroups": "group",
    "ListInstanceProfiles": "instance-profile",
    "ListRoles": "role",
    "ListUsers": "user",
}
_ARNS = ("PolicyArn", "PolicySourceArn", "OpenIDConnectProviderArn", "SAMLProviderArn")


def _cur_resources(_state: SandboxState, call: Call) -> Iterator[str]:
    name = call.parameters.get("ReportName") or call.parameters.get("ReportDefinition", {}).get(
        "ReportName", ""
    )
    yield f"arn:{PARTITION}:cur:us-east-1:{call.caller.account_id}:definition/{name}"


def _cloudformation_resources(state: SandboxState, call: Call) -> Iterator[str]:
    given = call.parameters
    arn = f"arn:{PARTITION}:cloudformation:{call.region}:{call.caller.account_id}"
    if name := given.get("StackSetName"):
        own = state.stack_sets_of(call.caller.account_id, call.region).get(name)
        yield f"{arn}:stackset/{own.id if own else f'{name}:*'}"
    elif name := given.get("StackName"):
        stacks = state.stacks.get((call.caller.account_id, call.region), [])
        ids = (s.id for s in stacks if s.name == name and s.deleted is None)
        yield str(name) if name.startswith("arn:") else next(ids, f"{arn}:stack/{name}/*")
    else:
        yield f"{arn}:stack/*/*" if call.operation in ("DescribeStacks", "ListStacks") else "*"


def _organizations_resources(_state: SandboxState, call: Call) -> Iterator[str]:
    owner = management_account(call.caller.account_id)
    own = organizations(owner).org
    if own is None:
        yield "*"
        return
    if (policy := organization_policy(call)) is not None:
        arn = f"arn:{PARTITION}:organizations::aws:policy/{policy.type.lower()}/{policy.id}"
        yield arn if policy.aws_managed else policy.arn
    found = policy is not None
    arn, given = f"arn:{PARTITION}:organizations::{owner}", call.parameters
    for name in ("AccountId", "TargetId", "ResourceId", "ParentId", *_PLACES):
        place = str(given.get(name, ""))
        kind = next((kind for prefix, kind in _KINDS.items() if place.startswith(prefix)), "")
        if kind or place.isdigit():
            yield f"{arn}:{kind or 'account'}/{own.id}/{place}"
            found = True
    if not found:
        yield "*"


_PLACES = ("OrganizationalUnitId", "RootId", "ChildId", "SourceParentId", "DestinationParentId")
_KINDS = {"ou-": "ou", "r-": "root"}


def _bucket_resources(_state: SandboxState, call: Call) -> Iterator[str]:
    yield str(call.parameters.get("ResourceArn", "*"))


def _kms_resources(_state: SandboxState, call: Call) -> Iterator[str]:
    arn = f"arn:{PARTITION}:kms:{call.region}:{call.caller.account_id}"
    if alias := call.parameters.get("AliasName"):
        yield f"{arn}:{alias}"
    key = key_of(call)
    if key is not None:
        yield key.arn
    elif not alias:
        yield "*"


def _sts_resources(_state: SandboxState, call: Call) -> Iterator[str]:
    arn = f"arn:{PARTITION}:sts::{call.caller.account_id}"
    is_federation = call.operation == "GetFederationToken"
    yield f"{arn}:federated-user/{call.parameters['Name']}" if is_federation else "*"


def key_of(call: Call) -> Any | None:
    """Get moto's KMS key that a call is about; None if it is about none."""
    key_id = call.parameters.get("KeyId") or call.parameters.get("TargetKeyId")
    if call.service != "kms" or not key_id:
        return None
    return find_key(key_id, call.caller.account_id, call.region)


def _ssm_resources(_state: SandboxState, call: Call) -> Iterator[str]:
    given = call.parameters
    names = given.get("Names") or [given.get("Path") or given.get("Name") or ""]
    arn = f"arn:{PARTITION}:ssm:{call.region}:{call.caller.account_id}:parameter"
    is_about_parameters = "Parameter" in call.operation and any(names)
    for name in names if is_about_parameters else ["*"]:
        is_arn = name == "*" or name.startswith("arn:")
        yield name if is_arn else f"{arn}/{name.removeprefix('/')}"


_RESOURCES: dict[str, Callable[[SandboxState, Call], Iterator[str]]] = {
    "cloudformation": _cloudformation_resources,
    "cur": _cur_resources,
    "iam": _iam_resources,
    "kms": _kms_resources,
    "organizations": _organizations_resources,
    "s3control": _bucket_resources,
    "ssm": _ssm_resources,
    "sts": _sts_resources,
}
