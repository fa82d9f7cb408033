"""IAM: service-linked roles of the services that the sandbox has; those of others are moto's.

Source: IAM API Reference, CreateServiceLinkedRole, DeleteServiceLinkedRole,
GetServiceLinkedRoleDeletionStatus. A deletion is decided at once here.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from orchestrator.sandbox.enrolments import enrolments_of
from orchestrator.sandbox.service_roles import BY_ENROLMENT, NAMES, PATH, ensure, name_of
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState, iam, role
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
_PROTECTED = (
    "AddRoleToInstanceProfile",
    "AttachRolePolicy",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "UpdateAssumeRolePolicy",
)
_WITH_SUFFIX = ("autoscaling.amazonaws.com", "connect.amazonaws.com", "lexv2.amazonaws.com")


def create(_state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateServiceLinkedRole: one for each service, or one for each suffix where it takes any."""
    given, own = call.parameters, call.caller.account_id
    principal, suffix = given["AWSServiceName"], given.get("CustomSuffix", "")
    if not re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com", principal):
        raise ServiceError("InvalidInput", f"{principal} is not a service with a role.")
    if suffix and principal not in _WITH_SUFFIX:
        raise ServiceError("InvalidInput", f"Custom suffix is not allowed for {principal}")
    name = name_of(principal) + (f"_{suffix}" if suffix else "")
    if role(own, name) is not None:
        raise ServiceError(
            "InvalidInput",
            f"Service role name {name} has been taken in this account, please try a different"
            " suffix.",
        )
    made = ensure(own, principal, suffix, given.get("Description", ""))
    answer = {
        "Path": made.path,
        "RoleName": made.name,
        "RoleId": made.id,
        "Arn": made.arn,
        "CreateDate": made.create_date,
        "AssumeRolePolicyDocument": made.assume_role_policy_document,
    }
    return {"Role": answer | ({"Description": made.description} if made.description else {})}


def delete(state: SandboxState, call: Call) -> Any:
    """DeleteServiceLinkedRole: of a service that still uses it, the task fails."""
    own, name = call.caller.account_id, call.parameters["RoleName"]
    held = role(own, name)
    if held is None or not held.path.startswith(PATH):
        raise ServiceError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    users = [s for s, p in BY_ENROLMENT.items() if NAMES[p] == name]
    is_used = any(enrolments_of(state, service).of(own).active for service in users)
    if not is_used:
        for arn in [*held.managed_policies]:
            iam(own).detach_role_policy(arn, name)
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


def check(_state: SandboxState, call: Call) -> None:
    """Refuse roles of others under its path, and changes but of its tags and its description.

    Raises:
        ServiceError: InvalidInput or UnmodifiableEntity.
    """
    name = call.parameters.get("RoleName")
    if call.operation == "CreateRole" and call.parameters.get("Path", "/").startswith(PATH):
        raise ServiceError(
            "InvalidInput",
            f"Path prefix '{PATH}' can only be used for AWS Service linked Roles",
        )
    if call.operation not in _PROTECTED or name is None:
        return
    held = role(call.caller.account_id, name)
    if held is not None and held.path.startswith(PATH):
        raise ServiceError(
            "UnmodifiableEntity",
            f"Cannot perform the operation on the protected role '{name}' - this role is only"
            " modifiable by AWS",
        )


OPERATIONS: dict[str, Operation] = {
    "CreateServiceLinkedRole": create,
    "DeleteServiceLinkedRole": delete,
    "GetServiceLinkedRoleDeletionStatus": deletion,
}
