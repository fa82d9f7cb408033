"""IAM: service-linked roles of the services that the sandbox has; those of others are moto's.

Source: IAM API Reference, CreateServiceLinkedRole, DeleteServiceLinkedRole,
GetServiceLinkedRoleDeletionStatus. A deletion is decided at once here.
"""

from __future__ import annotations

import uuid
from typing import Any

from orchestrator.sandbox.enrolments import enrolments_of
from orchestrator.sandbox.service_roles import BY_ENROLMENT, NAMES, ensure
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, iam, role
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"


def create(_state: SandboxState, call: Call) -> Any:
    """CreateServiceLinkedRole: one for each service."""
    principal = call.parameters["AWSServiceName"]
    if principal not in NAMES:
        return TO_MOTO
    name = NAMES[principal]
    if role(call.caller.account_id, name) is not None:
        raise ServiceError(
            "InvalidInput",
            f"Service role name {name} has been taken in this account, please try a different"
            " suffix.",
        )
    made = ensure(call.caller.account_id, principal)
    return {
        "Role": {
            "Path": made.path,
            "RoleName": made.name,
            "RoleId": made.id,
            "Arn": made.arn,
            "CreateDate": made.create_date,
            "AssumeRolePolicyDocument": made.assume_role_policy_document,
        }
    }


def delete(state: SandboxState, call: Call) -> Any:
    """DeleteServiceLinkedRole: of a service that still uses it, the task fails."""
    own, name = call.caller.account_id, call.parameters["RoleName"]
    held = role(own, name)
    if held is None:
        raise ServiceError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    users = [s for s, p in BY_ENROLMENT.items() if NAMES[p] == name]
    is_used = any(enrolments_of(state, service).of(own).active for service in users)
    if not is_used:
        iam(own).delete_role(name)
    task = f"task{held.path}{name}/{uuid.uuid4()}"
    reason = "A service is using the role: end the enrolment first." if is_used else None
    _tasks(state)[task] = reason
    return {"DeletionTaskId": task}


def deletion(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetServiceLinkedRoleDeletionStatus."""
    tasks, task = _tasks(state), call.parameters["DeletionTaskId"]
    if task not in tasks:
        raise ServiceError("NoSuchEntity", f"The deletion task {task} cannot be found.", 404)
    if tasks[task]:
        return {"Status": "FAILED", "Reason": {"Reason": tasks[task]}}
    return {"Status": "SUCCEEDED"}


def _tasks(state: SandboxState) -> dict[str, str | None]:
    """Why the role of each deletion task was not deleted; None if it was."""
    return state.of_service("iam-deletions", dict[str, str | None])


OPERATIONS: dict[str, Operation] = {
    "CreateServiceLinkedRole": create,
    "DeleteServiceLinkedRole": delete,
    "GetServiceLinkedRoleDeletionStatus": deletion,
}
