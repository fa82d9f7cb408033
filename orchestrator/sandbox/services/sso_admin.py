"""IAM Identity Center: no account has an instance; moto would return one.

Source: IAM Identity Center API Reference, ListInstances. How AWS refuses a call about an instance
that does not exist is not documented: here, as one of another account.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "sso-admin"


def list_instances(_state: SandboxState, _call: Call) -> dict[str, Any]:
    """ListInstances."""
    return {"Instances": []}


def check(_state: SandboxState, call: Call) -> None:
    """Refuse a call about an instance.

    Raises:
        ServiceError: AccessDeniedException.
    """
    if instance := call.parameters.get("InstanceArn"):
        text = f"User: {call.caller.arn} is not authorized to perform: sso:{call.operation}"
        raise ServiceError("AccessDeniedException", f"{text} on resource: {instance}")


OPERATIONS: dict[str, Operation] = {"ListInstances": list_instances}
