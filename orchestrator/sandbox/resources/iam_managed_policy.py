"""AWS::IAM::ManagedPolicy, with a name of its own; it is attached by other resources.

Source: CloudFormation Template Reference, AWS::IAM::ManagedPolicy: ``Ref`` is the ARN; a change of
name, path or description replaces the policy; IAM keeps five versions at most.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType, already_exists
from orchestrator.sandbox.services.iam_policies import delete_policy, put_managed
from orchestrator.sandbox.state import PARTITION, iam

_TYPE = "AWS::IAM::ManagedPolicy"
_VERSIONS = 5


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("ManagedPolicyName") or actor.new_name
    path, text = properties.get("Path", "/"), json.dumps(properties["PolicyDocument"])
    given = {"PolicyName": name, "PolicyDocument": text}
    put_managed(actor.state, actor.call("iam", "CreatePolicy", given))
    own = iam(actor.account_id)
    arn = f"arn:{PARTITION}:iam::{actor.account_id}:policy{path}{name}"
    if arn in own.managed_policies:
        raise already_exists(_TYPE, name, str(uuid.uuid4()))
    own.create_policy(properties.get("Description", ""), path, text, name, [])
    return CreatedResource(arn, {"PolicyArn": arn})


def _update(actor: Actor, arn: str, properties: Mapping[str, Any]) -> CreatedResource:
    text, own = json.dumps(properties["PolicyDocument"]), iam(actor.account_id)
    given = {"PolicyArn": arn, "PolicyDocument": text}
    held = own.managed_policies[arn]
    if len(held.versions) == _VERSIONS:  # CloudFormation deletes the oldest one itself
        oldest = next(v for v in held.versions if not v.is_default)
        own.delete_policy_version(arn, oldest.version_id)
    put_managed(actor.state, actor.call("iam", "CreatePolicyVersion", given))
    own.create_policy_version(arn, text, set_as_default=True)
    return CreatedResource(arn, {"PolicyArn": arn})


def _delete(actor: Actor, arn: str) -> None:
    own = iam(actor.account_id)
    if arn not in own.managed_policies:
        return
    for version in [v for v in own.managed_policies[arn].versions if not v.is_default]:
        own.delete_policy_version(arn, version.version_id)
    delete_policy(actor.state, actor.call("iam", "DeletePolicy", {"PolicyArn": arn}))
    own.delete_policy(arn)


RESOURCE_TYPE = ResourceType(
    type=_TYPE,
    properties=frozenset({"ManagedPolicyName", "PolicyDocument", "Description", "Path"}),
    replacement_properties=frozenset({"ManagedPolicyName", "Description", "Path"}),
    name_property="ManagedPolicyName",
    attributes=frozenset({"PolicyArn"}),
    identifiers=("PolicyArn",),
    create=_create,
    update=_update,
    delete=_delete,
)
