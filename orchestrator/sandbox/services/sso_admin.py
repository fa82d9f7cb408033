"""IAM Identity Center: no account has an instance; moto would return one.

Source: IAM Identity Center API Reference, ListInstances.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call

SERVICE = "sso-admin"


def list_instances(_state: SandboxState, _call: Call) -> dict[str, Any]:
    """ListInstances."""
    return {"Instances": []}


OPERATIONS: dict[str, Operation] = {"ListInstances": list_instances}
