"""EC2: instances, with the permission for each one and its tags; the rest is moto's.

Sources: Service Authorization Reference, Amazon EC2; EC2 API Reference, "Error codes".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from orchestrator.sandbox.instances import running
from orchestrator.sandbox.services import TO_MOTO, Operation, Permission
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "ec2"
_OF_INSTANCES = {
    "ModifyInstanceAttribute",
    "RebootInstances",
    "StartInstances",
    "StopInstances",
    "TerminateInstances",
}


def permissions(_state: SandboxState, call: Call) -> Iterator[Permission]:
    """Yield the permissions of a call that changes instances: one for each of them."""
    if call.operation not in _OF_INSTANCES:
        return
    from moto.ec2.models import ec2_backends  # takes a second to load

    given = call.parameters
    for instance_id in given.get("InstanceIds") or [given["InstanceId"]]:
        instance = ec2_backends[call.caller.account_id][call.region].get_instance_by_id(instance_id)
        tags = instance.get_tags() if instance else []
        yield Permission(
            f"ec2:{call.operation}",
            f"arn:{PARTITION}:ec2:{call.region}:{call.caller.account_id}:instance/{instance_id}",
            {f"aws:ResourceTag/{tag['key']}": tag["value"] for tag in tags},
        )


def contents(state: SandboxState) -> Iterator[str]:
    """Describe the running instances."""
    for instance in running(state.accounts.values()):
        yield f"running instance {instance.arn}"


def check_ids(_state: SandboxState, call: Call) -> Any:
    """Every call about instances: their ids must have the form of one."""
    given = call.parameters
    for instance_id in given.get("InstanceIds") or [given.get("InstanceId") or ""]:
        if instance_id and not _ID.fullmatch(instance_id):
            raise ServiceError("InvalidInstanceID.Malformed", f'Invalid id: "{instance_id}"')
    return TO_MOTO


_ID = re.compile(r"i-[0-9a-f]{8}([0-9a-f]{9})?")
OPERATIONS: dict[str, Operation] = dict.fromkeys((*_OF_INSTANCES, "DescribeInstances"), check_ids)
