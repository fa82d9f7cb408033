"""IAM: managed policies, the customer's and AWS's own, and the account's whole IAM in one answer.

Source: IAM API Reference, ListPolicies, CreatePolicyVersion, GetAccountAuthorizationDetails; real
error texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from orchestrator.sandbox import identity_policy
from orchestrator.sandbox.iam_pagination import page
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.iam import holder_of
from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
_OF_SERVICE_ROLES = re.compile(r"arn:aws[\w-]*:iam::aws:policy/aws-service-role/")


def put_managed(_state: SandboxState, call: Call) -> Any:
    """CreatePolicy and CreatePolicyVersion."""
    identity_policy.check_managed(call.parameters["PolicyDocument"])
    return TO_MOTO


def attach(_state: SandboxState, call: Call) -> Any:
    """AttachRolePolicy, AttachUserPolicy, AttachGroupPolicy: AWS's own policies are known, too."""
    arn = call.parameters["PolicyArn"]
    identity_policy.check_arn(arn)
    identity_policy.load_aws_managed(call.caller.account_id, arn)
    kind, _, holder = holder_of(call)
    if holder is None:
        return TO_MOTO
    if _OF_SERVICE_ROLES.match(arn):
        whose = "Customer Role" if kind == "role" else kind.title()
        text = f"Cannot attach a Service Role Policy to a {whose}."
        raise ServiceError("PolicyNotAttachable", text)
    identity_policy.check_attached(call.caller.account_id, holder, arn, kind)
    return {} if arn in holder.managed_policies else TO_MOTO  # moto would count it twice


def detach(_state: SandboxState, call: Call) -> Any:
    """DetachRolePolicy, DetachUserPolicy, DetachGroupPolicy."""
    identity_policy.check_arn(call.parameters["PolicyArn"])
    return TO_MOTO


def get_policy(_state: SandboxState, call: Call) -> Any:
    """GetPolicy and its siblings: AWS's own policies are known, too; a version must exist."""
    arn, version = call.parameters["PolicyArn"], call.parameters.get("VersionId")
    identity_policy.check_arn(arn)
    identity_policy.load_aws_managed(call.caller.account_id, arn)
    held = iam(call.caller.account_id).managed_policies.get(arn)
    if held is None:
        raise ServiceError("NoSuchEntity", f"Policy {arn} was not found.", 404)
    if version and version not in [v.version_id for v in held.versions]:
        raise ServiceError(
            "NoSuchEntity",
            f"Policy {arn} version {version} does not exist or is not attachable.",
            404,
        )
    return TO_MOTO


def delete_policy(_state: SandboxState, call: Call) -> Any:
    """DeletePolicy: neither attached, nor a boundary, nor with further versions."""
    arn, own = call.parameters["PolicyArn"], iam(call.caller.account_id)
    held = own.managed_policies.get(arn)
    if held is None:
        return TO_MOTO
    holders = [*own.roles.values(), *own.users.values()]
    bounded = any(getattr(h, _BOUNDARY, None) == arn for h in holders)
    if bounded or any(arn in h.managed_policies for h in [*holders, *own.groups.values()]):
        raise ServiceError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    if len(held.versions) > 1:
        raise ServiceError(
            "DeleteConflict",
            "This policy has more than one version. Before you delete a policy, you must delete"
            " the policy's versions. The default version is deleted with the policy.",
            409,
        )
    return TO_MOTO


def list_entities(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListEntitiesForPolicy: those it is attached to, and those whose boundary it is."""
    get_policy(state, call)  # it must exist
    given, own = call.parameters, iam(call.caller.account_id)
    usage, wanted = given.get("PolicyUsageFilter"), given.get("EntityFilter")
    arn = given["PolicyArn"]
    found = [
        (kind, {f"{kind}Name": held.name, f"{kind}Id": held.id})
        for kind, every in (("Group", own.groups), ("User", own.users), ("Role", own.roles))
        for held in every.values()
        if wanted in (None, kind) and held.path.startswith(given.get("PathPrefix", "/"))
        if (usage != "PermissionsBoundary" and arn in held.managed_policies)
        or (usage != "PermissionsPolicy" and getattr(held, _BOUNDARY, None) == arn)
    ]
    listed = page("found", found, call)
    shown = {
        f"Policy{wanted}s": [entity for kind, entity in listed["found"] if kind == wanted]
        for wanted in ("Group", "User", "Role")
    }
    return {**shown, **{name: value for name, value in listed.items() if name != "found"}}


_BOUNDARY = "permissions_boundary_arn"


def list_policies(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListPolicies: the customer's policies, then AWS's own, of which moto would keep copies."""
    given = call.parameters
    found = [
        shown
        for shown in _listed(call.caller.account_id, given.get("Scope", "All"))
        if shown["Path"].startswith(given.get("PathPrefix", "/"))
        and (not given.get("OnlyAttached") or shown["AttachmentCount"])
        and (
            given.get("PolicyUsageFilter") != "PermissionsBoundary"
            or shown["PermissionsBoundaryUsageCount"]
        )
    ]
    return page("Policies", found, call)


def _listed(account_id: str, scope: str) -> Iterator[dict[str, Any]]:
    held = iam(account_id).managed_policies
    if scope != "AWS":
        yield from (_shown(policy) for arn, policy in held.items() if ":aws:policy/" not in arn)
    if scope != "Local":
        for policy in identity_policy.aws_managed(account_id):
            yield _shown(held.get(policy.arn, policy))


def _shown(policy: Any) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": policy.attachment_count,
        "PermissionsBoundaryUsageCount": policy.permissions_boundary_usage_count,
        "IsAttachable": policy.is_attachable,
        "CreateDate": policy.create_date,
        "UpdateDate": policy.update_date,
    }


OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(("AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy"), attach),
    **dict.fromkeys(("DetachRolePolicy", "DetachUserPolicy", "DetachGroupPolicy"), detach),
    **dict.fromkeys(("CreatePolicy", "CreatePolicyVersion"), put_managed),
    **dict.fromkeys(
        (
            "DeletePolicyVersion",
            "GetPolicy",
            "GetPolicyVersion",
            "ListPolicyVersions",
            "SetDefaultPolicyVersion",
        ),
        get_policy,
    ),
    "DeletePolicy": delete_policy,
    "ListEntitiesForPolicy": list_entities,
    "ListPolicies": list_policies,
}
