"""AWS::IAM::User, with its policies and groups.

Source: CloudFormation Template Reference, AWS::IAM::User: ``Ref`` is the name.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import ServiceException

from orchestrator.sandbox import principals
from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType, already_exists
from orchestrator.sandbox.services import iam_users
from orchestrator.sandbox.services.iam import put_inline
from orchestrator.sandbox.services.iam_policies import attach
from orchestrator.sandbox.state import iam

_TYPE = "AWS::IAM::User"


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("UserName") or actor.new_name[-64:].lstrip("-")
    given = {n: properties[n] for n in ("Path", "Tags", "PermissionsBoundary") if n in properties}
    call = actor.call("iam", "CreateUser", {"UserName": name, **given})
    if name in iam(actor.account_id).users:
        raise already_exists(_TYPE, name, str(uuid.uuid4()))
    iam_users.create(actor.state, call)
    try:
        return _set(actor, name, properties)
    except ServiceException:
        _delete(actor, name)
        raise


def _update(actor: Actor, name: str, properties: Mapping[str, Any]) -> CreatedResource:
    own, user = iam(actor.account_id), iam(actor.account_id).get_user(name)
    actor.call("iam", "UpdateUser", {"UserName": name})
    user.permissions_boundary_arn = properties.get("PermissionsBoundary")
    own.tagger.delete_all_tags_for_resource(user.arn)
    own.tagger.tag_resource(user.arn, properties.get("Tags", []))
    _take_away(actor, user)
    return _set(actor, name, properties)


def _set(actor: Actor, name: str, properties: Mapping[str, Any]) -> CreatedResource:
    """Give a user its policies and groups."""
    own = iam(actor.account_id)
    for policy in properties.get("Policies", []):
        text = json.dumps(policy["PolicyDocument"])
        given = {"UserName": name, "PolicyName": policy["PolicyName"], "PolicyDocument": text}
        put_inline(actor.state, actor.call("iam", "PutUserPolicy", given))
        own.put_user_policy(name, policy["PolicyName"], text)
    for arn in properties.get("ManagedPolicyArns", []):
        attached = {"UserName": name, "PolicyArn": arn}
        attach(actor.state, actor.call("iam", "AttachUserPolicy", attached))
        own.attach_user_policy(arn, name)
    for group in properties.get("Groups", []):
        actor.call("iam", "AddUserToGroup", {"UserName": name, "GroupName": group})
        own.add_user_to_group(group, name)
    return CreatedResource(name, {"Arn": own.get_user(name).arn})


def _take_away(actor: Actor, user: Any) -> None:
    own = iam(actor.account_id)
    user.policies.clear()
    for arn in list(user.managed_policies):
        own.detach_user_policy(arn, user.name)
    for group in own.groups.values():
        if user in group.users:
            group.users.remove(user)


def _delete(actor: Actor, name: str) -> None:
    actor.call("iam", "DeleteUser", {"UserName": name})
    user = iam(actor.account_id).users.get(name)
    if user is not None:
        _take_away(actor, user)
        iam(actor.account_id).delete_user(name)
        principals.forget(actor.state, user.arn, user.id)


RESOURCE_TYPE = ResourceType(
    type=_TYPE,
    properties=frozenset(
        {"UserName", "Path", "Tags", "PermissionsBoundary", "Policies", "ManagedPolicyArns"}
        | {"Groups"}
    ),
    unknown_properties=frozenset({"LoginProfile"}),
    replacement_properties=frozenset({"UserName", "Path"}),
    name_property="UserName",
    attributes=frozenset({"Arn"}),
    identifiers=("UserName",),
    create=_create,
    update=_update,
    delete=_delete,
)
