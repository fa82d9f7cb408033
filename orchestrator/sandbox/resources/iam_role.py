"""AWS::IAM::Role, with its inline policies."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Act, Kind, Made, exists_already
from orchestrator.sandbox.services.iam import check_trust
from orchestrator.sandbox.world import iam, role

_TYPE = "AWS::IAM::Role"


def _create(act: Act, properties: Mapping[str, Any]) -> Made:
    name = properties.get("RoleName") or f"role-{uuid.uuid4().hex[:12]}"
    trust = json.dumps(properties["AssumeRolePolicyDocument"])
    parameters = {"RoleName": name, "AssumeRolePolicyDocument": trust}
    check_trust(act.world, act.call("iam", "CreateRole", parameters))
    if role(act.account_id, name) is not None:
        raise exists_already(_TYPE, name, str(uuid.uuid4()))
    made = iam(act.account_id).create_role(
        role_name=name,
        assume_role_policy_document=trust,
        path=properties.get("Path", "/"),
        permissions_boundary=properties.get("PermissionsBoundary"),
        description=properties.get("Description", ""),
        tags=properties.get("Tags", []),
        max_session_duration=str(properties.get("MaxSessionDuration", 3600)),
    )
    _give(act, name, properties)
    return Made(name, {"Arn": made.arn, "RoleId": made.id})


def _update(act: Act, name: str, properties: Mapping[str, Any]) -> Made:
    trust = json.dumps(properties["AssumeRolePolicyDocument"])
    parameters = {"RoleName": name, "PolicyDocument": trust}
    check_trust(act.world, act.call("iam", "UpdateAssumeRolePolicy", parameters))
    held = iam(act.account_id).get_role(name)
    held.assume_role_policy_document = trust
    held.description = properties.get("Description", "")
    held.permissions_boundary_arn = properties.get("PermissionsBoundary")
    held.max_session_duration = str(properties.get("MaxSessionDuration", 3600))
    held.tags = {tag["Key"]: tag for tag in properties.get("Tags", [])}
    kept = {policy["PolicyName"] for policy in properties.get("Policies", [])}
    for policy in [p for p in held.policies if p not in kept]:
        del held.policies[policy]
    for arn in set(held.managed_policies) - set(properties.get("ManagedPolicyArns", [])):
        act.call("iam", "DetachRolePolicy", {"RoleName": name})
        iam(act.account_id).detach_role_policy(arn, name)
    _give(act, name, properties)
    return Made(name, {"Arn": held.arn, "RoleId": held.id})


def _give(act: Act, name: str, properties: Mapping[str, Any]) -> None:
    own = iam(act.account_id)
    for policy in properties.get("Policies", []):
        act.call("iam", "PutRolePolicy", {"RoleName": name})
        # Text, as IAM keeps it: moto's own CloudFormation leaves Python there.
        text = json.dumps(policy["PolicyDocument"])
        own.put_role_policy(name, policy["PolicyName"], text)
    for arn in properties.get("ManagedPolicyArns", []):
        act.call("iam", "AttachRolePolicy", {"RoleName": name})
        own.attach_role_policy(arn, name)


def _delete(act: Act, name: str) -> None:
    act.call("iam", "DeleteRole", {"RoleName": name})
    held = role(act.account_id, name)
    if held is None:
        return
    held.policies.clear()
    for arn in list(held.managed_policies):
        iam(act.account_id).detach_role_policy(arn, name)
    iam(act.account_id).delete_role(name)


KIND = Kind(
    type=_TYPE,
    properties=frozenset(
        {
            *("RoleName", "AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns"),
            *("Description", "Path", "MaxSessionDuration", "PermissionsBoundary", "Tags"),
        }
    ),
    replaced_by=frozenset({"RoleName", "Path"}),
    create=_create,
    update=_update,
    delete=_delete,
)
