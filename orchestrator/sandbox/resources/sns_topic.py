"""AWS::SNS::Topic, kept in moto's SNS.

Source: CloudFormation Template Reference, AWS::SNS::Topic: ``Ref`` is the ARN.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType, already_exists
from orchestrator.sandbox.state import PARTITION

_TYPE = "AWS::SNS::Topic"


def _topics(actor: Actor) -> Any:
    from moto.sns.models import sns_backends  # takes a second to load

    return sns_backends[actor.account_id][actor.region]


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("TopicName") or actor.new_name
    arn = f"arn:{PARTITION}:sns:{actor.region}:{actor.account_id}:{name}"
    actor.call("sns", "CreateTopic", {"Name": name})
    if arn in _topics(actor).topics:
        raise already_exists(_TYPE, arn, str(uuid.uuid4()))
    _topics(actor).create_topic(name, None, {})
    return _update(actor, arn, properties)


def _update(actor: Actor, arn: str, properties: Mapping[str, Any]) -> CreatedResource:
    actor.call("sns", "SetTopicAttributes", {"TopicArn": arn})
    topic = _topics(actor).topics[arn]
    topic.display_name = str(properties.get("DisplayName", ""))
    topic._tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    name = arn.rpartition(":")[2]
    return CreatedResource(
        arn, {"TopicArn": arn, "TopicName": name, "DisplayName": topic.display_name}
    )


def _delete(actor: Actor, arn: str) -> None:
    actor.call("sns", "DeleteTopic", {"TopicArn": arn})
    if arn in _topics(actor).topics:
        _topics(actor).delete_topic(arn)


def _read(actor: Actor, arn: str) -> Mapping[str, Any] | None:
    topic = _topics(actor).topics.get(arn)
    return None if topic is None else {"DisplayName": topic.display_name}


RESOURCE_TYPE = ResourceType(
    type=_TYPE,
    properties=frozenset({"TopicName", "DisplayName", "Tags"}),
    replacement_properties=frozenset({"TopicName"}),
    name_property="TopicName",
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
)
