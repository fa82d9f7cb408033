"""Organizations: policies of every type, and where they are attached.

Sources: Organizations API Reference; "Quotas for AWS Organizations", whose sizes and attachments of
service control policies were doubled on 2026-05-15; what AWS says, by issues of the Terraform
provider (#12597, #41493) and of boto3 (#4565: the ARNs of AWS's own policies).
"""

from __future__ import annotations

import json
from typing import Any

from moto.organizations.models import FakePolicy

from orchestrator.sandbox import control_policy
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.organizations import (
    invalid,
    organization_of,
    page,
    violates,
)
from orchestrator.sandbox.services.organizations_policy_types import (
    CONTROL,
    attach_to,
    check_available,
    check_enabled,
    find_policy,
    find_target,
)
from orchestrator.sandbox.services.organizations_tags import check_tags
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"
_SIZES = {
    "SERVICE_CONTROL_POLICY": 10_240,
    "RESOURCE_CONTROL_POLICY": 5_120,
    "AISERVICES_OPT_OUT_POLICY": 2_500,
}
_SIZE = 10_000  # characters, white space too, of the other types
_ATTACHED = {
    "RESOURCE_CONTROL_POLICY": 5,
    "AISERVICES_OPT_OUT_POLICY": 5,
    "CHATBOT_POLICY": 5,
}
_MOST_ATTACHED = 10  # of the other types


def create(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreatePolicy."""
    own, given = organization_of(state, call), call.parameters
    kind = given["Type"]
    check_available(own)
    check_tags(given.get("Tags", []))
    _check_content(kind, given["Content"])
    _check_name(own, kind, given["Name"])
    policy = FakePolicy(own.org, **{**given, "Type": "SERVICE_CONTROL_POLICY"})
    policy.type = kind  # of which moto knows five
    policy._arn_format = f"arn:{{0}}:organizations::{{1}}:policy/{{2}}/{kind.lower()}/{{3}}"
    own.policies.append(policy)
    return _described(policy)


def update(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdatePolicy."""
    own, given = organization_of(state, call), call.parameters
    policy = _changeable(own, given["PolicyId"])
    if "Content" in given:
        _check_content(policy.type, given["Content"])
    if "Name" in given:
        _check_name(own, policy.type, given["Name"], policy.id)
    for name in ("Name", "Description", "Content"):
        setattr(policy, name.lower(), given.get(name, getattr(policy, name.lower())))
    return _described(policy)


def delete(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeletePolicy: one that is not attached."""
    own = organization_of(state, call)
    policy = _changeable(own, call.parameters["PolicyId"])
    if policy.attachments:
        raise ServiceError(
            "PolicyInUseException",
            "The policy is attached to one or more entities. You must detach it from all roots,"
            " OUs, and accounts before performing this operation.",
        )
    own.policies.remove(policy)
    return {}


def describe(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribePolicy."""
    return _described(find_policy(organization_of(state, call), call.parameters["PolicyId"]))


def list_policies(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListPolicies of a type, whether it is enabled or not."""
    own, kind = organization_of(state, call), call.parameters["Filter"]
    return page(call, "Policies", [_summary(p) for p in own.policies if p.type == kind])


def list_for_target(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListPoliciesForTarget."""
    own, kind = organization_of(state, call), call.parameters["Filter"]
    attached = find_target(own, call.parameters["TargetId"]).attached_policies
    return page(call, "Policies", [_summary(p) for p in attached if p.type == kind])


def list_targets(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListTargetsForPolicy."""
    policy = find_policy(organization_of(state, call), call.parameters["PolicyId"])
    targets = [
        {"TargetId": held.id, "Arn": held.arn, "Name": held.name, "Type": held.type}
        for held in policy.attachments
    ]
    return page(call, "Targets", targets)


def attach(state: SandboxState, call: Call) -> dict[str, Any]:
    """AttachPolicy: only of a type that is enabled."""
    own = organization_of(state, call)
    policy = find_policy(own, call.parameters["PolicyId"])
    target = find_target(own, call.parameters["TargetId"])
    check_enabled(own, policy.type)
    if policy in target.attached_policies:
        raise ServiceError(
            "DuplicatePolicyAttachmentException",
            "A policy with the specified name and type already exists.",
        )
    of_type = [held for held in target.attached_policies if held.type == policy.type]
    if len(of_type) >= _ATTACHED.get(policy.type, _MOST_ATTACHED):
        raise violates(
            "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You have attached the maximum number of policies to the specified target.",
        )
    attach_to(policy, target)
    return {}


def detach(state: SandboxState, call: Call) -> dict[str, Any]:
    """DetachPolicy: not the last one of a control policy's type."""
    own = organization_of(state, call)
    policy = find_policy(own, call.parameters["PolicyId"])
    target = find_target(own, call.parameters["TargetId"])
    if policy.id == CONTROL["RESOURCE_CONTROL_POLICY"]:
        text = "You can't detach this Amazon Web Services Managed Policy."
        raise invalid("NON_DETACHABLE_POLICY", text)
    if policy not in target.attached_policies:
        raise ServiceError(
            "PolicyNotAttachedException",
            "The policy isn't attached to the specified target in the specified root.",
        )
    of_type = [held for held in target.attached_policies if held.type == policy.type]
    if policy.type in CONTROL and len(of_type) == 1:
        raise violates(
            "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You cannot remove the last policy attached to the specified target. You must have at"
            " least one attached at all times.",
        )
    target.attached_policies.remove(policy)
    policy.attachments.remove(target)
    return {}


def _check_name(own: Any, kind: str, name: str, but: str = "") -> None:
    if any(p.type == kind and p.name == name and p.id != but for p in own.policies):
        text = "A policy with the same name already exists."
        raise ServiceError("DuplicatePolicyException", text)


def _check_content(kind: str, content: str) -> None:
    if len(content) > _SIZES.get(kind, _SIZE):
        text = "You have exceeded the maximum policy size."
        raise violates("POLICY_CONTENT_LIMIT_EXCEEDED", text)
    if not _is_formed(kind, content):
        raise ServiceError(
            "MalformedPolicyDocumentException",
            "The provided policy document does not meet the requirements of the specified policy"
            " type.",
        )


def _is_formed(kind: str, content: str) -> bool:
    if kind in CONTROL:
        return control_policy.is_formed(kind, content)
    try:
        document = json.loads(content)
    except ValueError:
        return False
    wanted = _ELEMENTS.get(kind)
    return (
        isinstance(document, dict)
        and (wanted is None or {*document} <= {wanted})
        and _is_by_operators(document)
    )


# The only element at the top of a policy, of the types whose syntax the user guide gives so.
_ELEMENTS = {
    "AISERVICES_OPT_OUT_POLICY": "services",
    "BACKUP_POLICY": "plans",
    "CHATBOT_POLICY": "chatbot",
    "DECLARATIVE_POLICY_EC2": "ec2_attributes",
    "TAG_POLICY": "tags",
}


def _is_by_operators(element: Any) -> bool:
    """Whether values are below operators of inheritance only (``@@assign``, ``@@append``)."""
    return isinstance(element, dict) and all(
        name.startswith("@@") or _is_by_operators(inner) for name, inner in element.items()
    )


def _changeable(own: Any, policy_id: str) -> Any:
    policy = find_policy(own, policy_id)
    if policy.aws_managed:
        text = "You specified a policy that is managed by AWS and can't be modified."
        raise invalid("IMMUTABLE_POLICY", text)
    return policy


def _summary(policy: Any) -> dict[str, Any]:
    arn = f"arn:aws:organizations::aws:policy/{policy.type.lower()}/{policy.id}"
    return {
        "Id": policy.id,
        "Arn": arn if policy.aws_managed else policy.arn,
        "Name": policy.name,
        "Description": policy.description or "",
        "Type": policy.type,
        "AwsManaged": policy.aws_managed,
    }


def _described(policy: Any) -> dict[str, Any]:
    return {"Policy": {"PolicySummary": _summary(policy), "Content": policy.content}}


OPERATIONS: dict[str, Operation] = {
    "AttachPolicy": attach,
    "CreatePolicy": create,
    "DeletePolicy": delete,
    "DescribePolicy": describe,
    "DetachPolicy": detach,
    "ListPolicies": list_policies,
    "ListPoliciesForTarget": list_for_target,
    "ListTargetsForPolicy": list_targets,
    "UpdatePolicy": update,
}
