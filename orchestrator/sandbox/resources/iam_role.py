"""AWS::IAM::Role, with its inline policies."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from moto.core.exceptions import ServiceException

from orchestrator.sandbox import principals
from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType, already_exists
from orchestrator.sandbox.services.iam import check_trust, put_inline, save_trust
from orchestrator.sandbox.services.iam_policies import attach
from orchestrator.sandbox.state import iam, role

_TYPE = "AWS::IAM::Role"


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("RoleName") or actor.new_name[-64:].lstrip("-")
    trust = json.dumps(properties["AssumeRolePolicyDocument"])
    parameters = {
        "RoleName": name,
        "AssumeRolePolicyDocument": trust,
        "Path": properties.get("Path", "/"),
    }
    if boundary := properties.get("PermissionsBoundary"):
        parameters["PermissionsBoundary"] = boundary
    actor.call("iam", "GetRole", {"RoleName": name, "Path": parameters["Path"]})
    if tags := properties.get("Tags"):
        parameters["Tags"] = tags
        actor.call("iam", "TagRole", {**parameters})
    check_trust(actor.state, actor.call("iam", "CreateRole", parameters))
    if role(actor.account_id, name) is not None:
        raise already_exists(_TYPE, name, str(uuid.uuid4()))
    made = iam(actor.account_id).create_role(
        role_name=name,
        assume_role_policy_document=trust,
        path=properties.get("Path", "/"),
        permissions_boundary=properties.get("PermissionsBoundary"),
        description=properties.get("Description", ""),
        tags=properties.get("Tags", []),
        max_session_duration=str(properties.get("MaxSessionDuration", 3600)),
    )
    save_trust(actor.state, actor.account_id, name)
    try:
        _put_policies(actor, name, properties)
    except ServiceException:
        with suppress(ServiceException):  # a role that may not be deleted stays
            _delete(actor, name)
        raise
    return CreatedResource(name, {"Arn": made.arn, "RoleId": made.id})


def _update(actor: Actor, name: str, properties: Mapping[str, Any]) -> CreatedResource:
    trust = json.dumps(properties["AssumeRolePolicyDocument"])
    held = iam(actor.account_id).get_role(name)
    if json.loads(held.assume_role_policy_document) != json.loads(trust):
        parameters = {"RoleName": name, "PolicyDocument": trust}
        check_trust(actor.state, actor.call("iam", "UpdateAssumeRolePolicy", parameters))
        held.assume_role_policy_document = trust
        save_trust(actor.state, actor.account_id, name)
    held.description = properties.get("Description", "")
    held.permissions_boundary_arn = properties.get("PermissionsBoundary")
    held.max_session_duration = str(properties.get("MaxSessionDuration", 3600))
    held.tags = [*properties.get("Tags", [])]
    kept = {policy["PolicyName"] for policy in properties.get("Policies", [])}
    for policy in [p for p in held.policies if p not in kept]:
        del held.policies[policy]
    for arn in set(held.managed_policies) - set(properties.get("ManagedPolicyArns", [])):
        actor.call("iam", "DetachRolePolicy", {"RoleName": name, "PolicyArn": arn})
        iam(actor.account_id).detach_role_policy(arn, name)
    _put_policies(actor, name, properties)
    return CreatedResource(name, {"Arn": held.arn, "RoleId": held.id})


def _put_policies(actor: Actor, name: str, properties: Mapping[str, Any]) -> None:
    own = iam(actor.account_id)
    for policy in properties.get("Policies", []):
        # IAM stores text; moto's own CloudFormation would store Python objects.
        text = json.dumps(policy["PolicyDocument"])
        given = {"RoleName": name, "PolicyName": policy["PolicyName"], "PolicyDocument": text}
        put_inline(actor.state, actor.call("iam", "PutRolePolicy", given))
        own.put_role_policy(name, policy["PolicyName"], text)
    for arn in properties.get("ManagedPolicyArns", []):
        attach(
            actor.state, actor.call("iam", "AttachRolePolicy", {"RoleName": name, "PolicyArn": arn})
        )
        own.attach_role_policy(arn, name)


def _delete(actor: Actor, name: str) -> None:
    actor.call("iam", "DeleteRole", {"RoleName": name})
    held = role(actor.account_id, name)
    if held is None:
        return
    held.policies.clear()
    for arn in list(held.managed_policies):
        iam(actor.account_id).detach_role_policy(arn, name)
    iam(actor.account_id).delete_role(name)
    principals.forget(actor.state, held.arn, held.id)


def _read(actor: Actor, name: str) -> Mapping[str, Any] | None:
    held = role(actor.account_id, name)
    if held is None:
        return None
    policies = [
        {"PolicyName": policy, "PolicyDocument": json.loads(text)}
        for policy, text in held.policies.items()
    ]
    return {
        "AssumeRolePolicyDocument": json.loads(held.assume_role_policy_document),
        "Policies": policies,
        "ManagedPolicyArns": list(held.managed_policies),
        "Description": held.description,
        "PermissionsBoundary": held.permissions_boundary_arn,
    }


RESOURCE_TYPE = ResourceType(
    type=_TYPE,
    properties=frozenset(
        {
            *("RoleName", "AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns"),
            *("Description", "Path", "MaxSessionDuration", "PermissionsBoundary", "Tags"),
        }
    ),
    replacement_properties=frozenset({"RoleName", "Path"}),
    name_property="RoleName",
    attributes=frozenset({"Arn", "RoleId"}),
    identifiers=("RoleName",),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
)
