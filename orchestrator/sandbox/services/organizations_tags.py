"""Organizations: tags of accounts, OUs, the root and policies.

Source: Organizations API Reference, TagResource and the reasons of its errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.sandbox import lookup
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.organizations import invalid, organization_of, page, violates
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"
_MOST = 50


def check_tags(given: Iterable[Mapping[str, str]], held: Iterable[str] = ()) -> None:
    """Check tags that are to be added to those that a resource has.

    Raises:
        ServiceError: InvalidInputException, ConstraintViolationException.
    """
    keys = [tag["Key"] for tag in given]
    check_keys(keys)
    if len({*keys}) < len(keys):
        text = "Tag keys must be unique among the tags attached to the same entity."
        raise invalid("DUPLICATE_TAG_KEY", text)
    if len({*keys, *held}) > _MOST:
        text = "You have exceeded the number of tags allowed on this resource."
        raise violates("MAX_TAG_LIMIT_EXCEEDED", text)


def check_keys(keys: Iterable[str]) -> None:
    """Check that no key is AWS's own.

    Raises:
        ServiceError: InvalidInputException.
    """
    if any(key.lower().startswith("aws:") for key in keys):
        raise invalid(
            "INVALID_SYSTEM_TAGS_PARAMETER",
            "You specified a tag key that is a system tag. You can't add, edit, or delete system"
            " tag keys because they're reserved for AWS use.",
        )


def tag(state: SandboxState, call: Call) -> dict[str, Any]:
    """TagResource."""
    held = _tags(state, call)
    check_tags(call.parameters["Tags"], held)
    held.update({tag["Key"]: tag["Value"] for tag in call.parameters["Tags"]})
    return {}


def untag(state: SandboxState, call: Call) -> dict[str, Any]:
    """UntagResource."""
    held = _tags(state, call)
    check_keys(call.parameters["TagKeys"])
    for key in call.parameters["TagKeys"]:
        held.pop(key, None)
    return {}


def list_tags(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListTagsForResource."""
    held = _tags(state, call)
    return page(call, "Tags", [{"Key": key, "Value": value} for key, value in held.items()])


def _tags(state: SandboxState, call: Call) -> dict[str, str]:
    own, wanted = organization_of(state, call), call.parameters["ResourceId"]
    found = lookup.member(own, wanted) or next(
        (held for held in (*own.ou, *own.policies) if held.id == wanted), None
    )
    if found is None:
        text = "You specified a target that doesn't exist."
        raise ServiceError("TargetNotFoundException", text)
    tags: dict[str, str] = found.tags
    return tags


OPERATIONS: dict[str, Operation] = {
    "ListTagsForResource": list_tags,
    "TagResource": tag,
    "UntagResource": untag,
}
