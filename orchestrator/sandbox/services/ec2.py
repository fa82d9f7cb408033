"""EC2: regions, and instances with the permission for each one and its tags; the rest is moto's.

Sources: Service Authorization Reference, Amazon EC2; EC2 API Reference, "Error codes".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from moto.core.utils import get_service_model

from orchestrator.sandbox.instances import running
from orchestrator.sandbox.services import TO_MOTO, Operation, Permission, account
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


def check(_state: SandboxState, call: Call) -> None:
    """Refuse a filter that the documentation of the call does not name.

    Raises:
        ServiceError: InvalidParameterValue.
    """
    known = _filters(call.operation)
    for given in call.parameters.get("Filters", ()):
        name = given.get("Name", "")
        if known and name not in known and not name.startswith("tag:"):
            raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")


@cache
def _filters(operation: str) -> frozenset[str]:
    """Get a common call's filters from botocore's documentation; other calls are not checked."""
    shape = get_service_model(SERVICE).operation_model(operation).input_shape
    if operation not in _FILTERED or shape is None:
        return frozenset()
    return frozenset(_DOCUMENTED.findall(shape.members["Filters"].documentation))


_FILTERED = {
    *("DescribeInstances", "DescribeSecurityGroups", "DescribeSnapshots", "DescribeSubnets"),
    *("DescribeVolumes", "DescribeVpcs"),
}
_DOCUMENTED = re.compile(r"<code>([a-z][a-z0-9.-]*)</code>\s*[-\u2013]")


def check_exists(_state: SandboxState, call: Call) -> Any:
    """Refuse a call that names a resource that does not exist, which moto would answer."""
    from moto.ec2.models import ec2_backends  # takes a second to load

    parameter, kept, code, text = _MUST_EXIST[call.operation]
    held = getattr(ec2_backends[call.caller.account_id][call.region], kept)
    given = call.parameters.get(parameter, [])
    for wanted in [given] if isinstance(given, str) else given:
        if wanted not in held:
            raise ServiceError(code, text.format(wanted))
    return TO_MOTO


_MUST_EXIST = {
    "DeleteSnapshot": (
        *("SnapshotId", "snapshots"),
        *("InvalidSnapshot.NotFound", "The snapshot '{}' does not exist."),
    ),
    "DescribeNatGateways": (
        *("NatGatewayIds", "nat_gateways"),
        *("NatGatewayNotFound", "NAT gateway {} was not found"),
    ),
}


def create_tags(_state: SandboxState, call: Call) -> Any:
    """CreateTags: instances must exist; the other resources are checked by moto."""
    from moto.ec2.models import ec2_backends  # takes a second to load

    backend = ec2_backends[call.caller.account_id][call.region]
    for wanted in call.parameters["Resources"]:
        if _ID.fullmatch(wanted) and backend.get_instance_by_id(wanted) is None:
            text = f"The instance ID '{wanted}' does not exist"
            raise ServiceError("InvalidInstanceID.NotFound", text)
    return TO_MOTO


def describe_regions(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeRegions: those that are enabled for the account, or every one."""
    given = call.parameters
    if given.get("DryRun"):
        text = "Request would have succeeded, but DryRun flag is set."
        raise ServiceError("DryRunOperation", text, 412)
    every = {
        name: {
            "region-name": name,
            "endpoint": f"ec2.{name}.amazonaws.com",
            _STATUS: _OPT_IN[status],
        }
        for name, status in account.region_statuses(state, call.caller.account_id).items()
    }
    if unknown := [name for name in given.get("RegionNames", ()) if name not in every]:
        raise ServiceError("InvalidParameterValue", f"Invalid region: [{', '.join(unknown)}]")
    filters = {f["Name"]: f.get("Values", []) for f in given.get("Filters", ())}
    for name in filters:
        if name not in every["us-east-1"]:
            raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
    found = [
        region
        for region in every.values()
        if region["region-name"] in given.get("RegionNames", every)
        and (given.get("AllRegions") or "RegionNames" in given or region[_STATUS] != "not-opted-in")
        and all(any(fnmatchcase(region[n], v) for v in values) for n, values in filters.items())
    ]
    shown = (("RegionName", "region-name"), ("Endpoint", "endpoint"), ("OptInStatus", _STATUS))
    return {"Regions": [{member: region[name] for member, name in shown} for region in found]}


_STATUS = "opt-in-status"
_OPT_IN = {
    "ENABLED_BY_DEFAULT": "opt-in-not-required",
    "ENABLED": "opted-in",
    "DISABLED": "not-opted-in",
}
_ID = re.compile(r"i-[0-9a-f]{8}([0-9a-f]{9})?")
TEXTS = (
    ("DescribeVpcs", r"VpcID \{('[^']+')\} does not exist\.", r"The vpc ID \1 does not exist"),
    ("*", r"The keypair (\S+) does not exist\.", r"The key pair \1 does not exist"),
    (
        "*",
        r"Allocation ID '[\[{]('[^']+')[\]}]' not found\.",
        r"The allocation ID \1 does not exist",
    ),
    ("*", r"'\{('[^']+')\}' does not exist", r"\1 does not exist"),
    # What moto does not say of a zone.
    (
        "DescribeAvailabilityZones",
        "<regionName>([^<]+)</regionName>",
        r"\g<0><groupName>\1-zg-1</groupName><networkBorderGroup>\1</networkBorderGroup>"
        "<optInStatus>opt-in-not-required</optInStatus>",
    ),
)
OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(_MUST_EXIST, check_exists),
    **dict.fromkeys((*_OF_INSTANCES, "DescribeInstances"), check_ids),
    "CreateTags": create_tags,
    "DescribeRegions": describe_regions,
    "GetEbsDefaultKmsKeyId": lambda *_: {"KmsKeyId": "alias/aws/ebs"},
}
