"""Has a CloudFormation stack let go of its resources: they stay, the stack goes.

Source: CloudFormation User Guide, "DeletionPolicy attribute": a change of the policy alone is no
update, so each resource gets a word of Metadata with it.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.aws.cloudformation import describe_stack
from orchestrator.aws.session import Aws
from orchestrator.errors import OctoTfError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_MARK = "OctoTfReleased"
_ENDS = ("COMPLETE", "FAILED")
_SECONDS = 900.0


def region_of(aws: Aws, name: str, *regions: str) -> str | None:
    """The region in which a stack of that name is; None if it is in none of them."""
    for region in sorted({aws.region, "us-east-1", *regions}):
        if _stack(aws, name, region) is not None:
            return region
    return None


def release(
    aws: Aws, name: str, region: str, *, wait: Callable[[float], None] = time.sleep
) -> None:
    """Updates the stack so that nothing is deleted with it, then deletes it.

    Args:
        aws: calls as the account.
        name: the stack's name.
        region: where it is.
        wait: between two looks at how far CloudFormation is.

    Raises:
        OctoTfError: the stack did not get there; what it holds is as it was.
        ServiceError: CloudFormation refused.
    """
    client = aws.client("cloudformation", region)
    stack = _stack(aws, name, region)
    if stack is None:
        return
    body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    if not _is_released(body):
        client.update_stack(
            StackName=name,
            TemplateBody=retained(body),
            Parameters=[
                {"ParameterKey": p["ParameterKey"], "UsePreviousValue": True}
                for p in stack.get("Parameters", [])
            ],
            Capabilities=stack.get("Capabilities", []),
        )
        _until(client, name, "UPDATE_COMPLETE", wait)
    client.delete_stack(StackName=name)
    # By its id: a stack that is deleted is found by nothing else.
    _until(client, stack["StackId"], "DELETE_COMPLETE", wait)


def retained(body: str | Mapping[str, Any]) -> str:
    """A template whose resources all outlive their stack; YAML keeps its tags and comments."""
    if isinstance(body, Mapping) or body.lstrip().startswith("{"):
        document = dict(body) if isinstance(body, Mapping) else json.loads(body)
        _retain(document)
        return json.dumps(document, indent=1)
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    document = yaml.load(body)
    _retain(document)
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _retain(document: Any) -> None:
    for resource in document["Resources"].values():
        resource["DeletionPolicy"] = "Retain"
        resource["UpdateReplacePolicy"] = "Retain"
        metadata = resource.setdefault("Metadata", {})
        metadata[_MARK] = True


def _is_released(body: str | Mapping[str, Any]) -> bool:
    text = json.dumps(body) if isinstance(body, Mapping) else body
    return _MARK in text


def _stack(aws: Aws, name: str, region: str) -> StackTypeDef | None:
    stack = describe_stack(aws, name, region)
    return None if stack and stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _until(
    client: CloudFormationClient, name: str, wanted: str, wait: Callable[[float], None]
) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
        status = stack["StackStatus"]
        if status == wanted:
            return
        failed = status.endswith(_ENDS) and not status.endswith("_CLEANUP_IN_PROGRESS")
        if failed or time.monotonic() > deadline:
            raise OctoTfError(
                f"the stack {name} is {status}, not {wanted}: {stack.get('StackStatusReason', '')}",
                where=name,
                hint="Nothing of it was deleted. See its events in the console, then run the same"
                " command again.",
            )
        wait(2.0)
