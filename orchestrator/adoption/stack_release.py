"""Release the resources of a CloudFormation stack: they are retained, and the stack is deleted.

Source: CloudFormation User Guide, "DeletionPolicy attribute": a change of the policy alone is no
update, so each resource gets a Metadata entry with it.
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
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_MARK = "OctoTfReleased"
_SECONDS = 900.0


def release(
    aws: Aws, name: str, region: str, *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Update the stack to retain all its resources, then delete it; no error if it is gone.

    Args:
        sleep: waits, in seconds, between two reads of the stack's status.

    Raises:
        OctoTfError: the update or the deletion failed; the stack's resources are as they were.
    """
    client = aws.client("cloudformation", region)
    stack = describe_stack(aws, name, region)
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        return
    stack = _settled(aws, stack["StackId"], region, sleep)  # an interrupted release may go on
    if stack["StackStatus"] != "DELETE_COMPLETE":
        body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        if _MARK not in (json.dumps(body) if isinstance(body, Mapping) else body):
            client.update_stack(
                StackName=name,
                TemplateBody=retained(body),
                Parameters=[
                    {"ParameterKey": p["ParameterKey"], "UsePreviousValue": True}
                    for p in stack.get("Parameters", [])
                ],
                Capabilities=stack.get("Capabilities", []),
            )
            _expect("UPDATE_COMPLETE", _settled(aws, stack["StackId"], region, sleep))
        client.delete_stack(StackName=name)
        stack = _settled(aws, stack["StackId"], region, sleep)
    _expect("DELETE_COMPLETE", stack)


def retained(body: str | Mapping[str, Any]) -> str:
    """Give every resource of a template a DeletionPolicy of Retain; YAML keeps tags and comments.

    ``body``: the template as boto3 returns it, JSON decoded or YAML as text.
    """
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
        resource.setdefault("Metadata", {})[_MARK] = True


def _settled(aws: Aws, stack_id: str, region: str, sleep: Callable[[float], None]) -> StackTypeDef:
    """Wait until no operation on the stack is in progress; a deleted one is found by its id."""
    client = aws.client("cloudformation", region)
    deadline = time.monotonic() + _SECONDS
    while True:
        stack = client.describe_stacks(StackName=stack_id)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS") or time.monotonic() > deadline:
            return stack
        sleep(2.0)


def _expect(status: str, stack: StackTypeDef) -> None:
    if stack["StackStatus"] == status:
        return
    name, reason = stack["StackName"], stack.get("StackStatusReason", "")
    raise OctoTfError(
        f"the stack {name} is {stack['StackStatus']}, not {status}"
        + (f": {reason}" if reason else ""),
        where=name,
        hint="None of its resources was deleted. See its events in the console, then run the same"
        " command again.",
    )
