"""Systems Manager Automation: change requests and the runbooks that they carry out.

A change request waits until its template's approvers have approved it; then its runbook runs at
once, as the role that was passed to Systems Manager, with that role's permissions. Sources: Systems
Manager API Reference, StartChangeRequestExecution, SendAutomationSignal, GetAutomationExecution;
Automation runbook reference, AWS-StopEC2Instance, ``aws:changeInstanceState``.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox.authorization import authorize
from orchestrator.sandbox.policy import AccessRequest, decide, parse_policy
from orchestrator.sandbox.services import Operation, Permission, ssm
from orchestrator.sandbox.state import PARTITION, Caller, SandboxState, role
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "ssm"
_SYSTEMS_MANAGER = "ssm.amazonaws.com"
_ROLE = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/(?:.*/)?([\w+=,.@-]+)")
_PARAMETER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_STOPPED = {"InstanceIds": "{{ InstanceId }}", "DesiredState": "stopped"}
_STARTED = {"InstanceIds": "{{ InstanceId }}", "DesiredState": "running"}
# AWS's own runbooks, as far as the sandbox has the services that they call.
_OWN_RUNBOOKS = {
    name: {
        "assumeRole": "{{ AutomationAssumeRole }}",
        "mainSteps": [{"name": step, "action": "aws:changeInstanceState", "inputs": inputs}],
    }
    for name, step, inputs in (
        ("AWS-StopEC2Instance", "stopInstances", _STOPPED),
        ("AWS-StartEC2Instance", "startInstances", _STARTED),
    )
}
_CALLS = {"stopped": "StopInstances", "running": "StartInstances"}


@dataclass
class Execution:
    """A change request or the run of a runbook; ``approvers`` have yet to approve it."""

    account_id: str
    region: str
    document: str
    version: str
    started_by: str
    runbook: str
    parameters: dict[str, list[str]]
    approvers: list[dict[str, Any]] = field(default_factory=list)
    status: str = "Pending"
    failure: str = ""
    name: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    ended: datetime | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def is_change(self) -> bool:
        """Whether it is a change request."""
        return self.document != self.runbook


def executions(state: SandboxState) -> dict[str, Execution]:
    """Get every execution by its id."""
    return state.of_service("ssm automation", dict)


def permissions(_state: SandboxState, call: Call) -> Iterator[Permission]:
    """Yield what starting or steering an execution needs, and to pass the role that it runs as."""
    given, action = call.parameters, f"ssm:{call.operation}"
    arn, own = f"arn:{PARTITION}:ssm:{call.region}", call.caller.account_id
    if execution := given.get("AutomationExecutionId"):
        yield Permission(action, f"{arn}:{own}:automation-execution/{execution}")
    if call.operation not in ("StartAutomationExecution", "StartChangeRequestExecution"):
        return
    started = [given, *given.get("Runbooks", [])]
    for document in started:
        name = document["DocumentName"]
        owner = "" if name.startswith("AWS-") else own
        version = document.get("DocumentVersion", "$DEFAULT")
        yield Permission(action, f"{arn}:{owner}:automation-definition/{name}:{version}")
    for document in started:
        for passed in document.get("Parameters", {}).get("AutomationAssumeRole", []):
            yield Permission("iam:PassRole", passed, {"iam:PassedToService": _SYSTEMS_MANAGER})


def start_change(state: SandboxState, call: Call) -> dict[str, Any]:
    """StartChangeRequestExecution: from an approved template, with one of its runbooks."""
    given, name = call.parameters, call.parameters["DocumentName"]
    template = _document(call, name)
    version = given.get("DocumentVersion") or ssm.documents(call)[name].default_version
    if not ssm.is_approved(state, call, name, version):
        raise ServiceError(
            "AutomationDefinitionNotApprovedException",
            "Indicates that the Change Manager change template used in the change request was"
            " rejected or is still in a pending state.",
        )
    (runbook,) = given["Runbooks"]
    offered = {each["name"] for each in template["executableRunBooks"]}
    if runbook["DocumentName"] not in offered:
        raise ServiceError(
            "InvalidAutomationExecutionParametersException",
            f"The change template does not offer the runbook {runbook['DocumentName']}.",
        )
    approvers = [
        approver
        for step in template["mainSteps"]
        if step["action"] == "aws:approve"
        for approver in step["inputs"]["EnhancedApprovals"]["Approvers"]
    ]
    return _started(
        state,
        Execution(
            call.caller.account_id,
            call.region,
            name,
            version,
            call.caller.arn,
            runbook["DocumentName"],
            runbook.get("Parameters", {}),
            approvers,
            "PendingApproval",
            name=given.get("ChangeRequestName", ""),
        ),
    )


def start(state: SandboxState, call: Call) -> dict[str, Any]:
    """StartAutomationExecution: runs a runbook at once."""
    name = call.parameters["DocumentName"]
    _document(call, name)
    execution = Execution(
        call.caller.account_id,
        call.region,
        name,
        call.parameters.get("DocumentVersion", "1"),
        call.caller.arn,
        name,
        call.parameters.get("Parameters", {}),
    )
    answer = _started(state, execution)
    _run(state, call, execution)
    return answer


def signal(state: SandboxState, call: Call) -> dict[str, Any]:
    """SendAutomationSignal: an approver approves or rejects a change request."""
    execution, given = _of_caller(state, call), call.parameters
    if given["SignalType"] not in ("Approve", "Reject") or execution.status != "PendingApproval":
        raise ServiceError(
            "InvalidAutomationSignalException",
            f"The signal {given['SignalType']} is not valid for an execution that is"
            f" {execution.status}.",
        )
    own = [a for a in execution.approvers if _is(call.caller, a)]
    if not own:
        raise ServiceError(
            "InvalidAutomationSignalException", f"{call.caller.arn} is not a valid approver."
        )
    if given["SignalType"] == "Reject":
        execution.status, execution.ended = "Rejected", datetime.now(timezone.utc)
        return {}
    execution.approvers = [a for a in execution.approvers if a not in own]
    if not execution.approvers:
        _run(state, call, execution)
    return {}


def get(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetAutomationExecution."""
    execution = _of_caller(state, call)
    runbook = {"DocumentName": execution.runbook, "Parameters": execution.parameters}
    change = {"AutomationSubtype": "ChangeRequest", "ChangeRequestName": execution.name}
    return {
        "AutomationExecution": {
            **_summary(execution),
            "Parameters": execution.parameters,
            **({**change, "Runbooks": [runbook]} if execution.is_change else {}),
        }
    }


def list_executions(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeAutomationExecutions: of the account and region."""
    place = (call.caller.account_id, call.region)
    found = [e for e in executions(state).values() if (e.account_id, e.region) == place]
    return {"AutomationExecutionMetadataList": [_summary(execution) for execution in found]}


def _summary(execution: Execution) -> dict[str, Any]:
    ended = {"ExecutionEndTime": execution.ended} if execution.ended else {}
    failure = {"FailureMessage": execution.failure} if execution.failure else {}
    return {
        "AutomationExecutionId": execution.id,
        "DocumentName": execution.document,
        "DocumentVersion": execution.version,
        "AutomationExecutionStatus": execution.status,
        "ExecutionStartTime": execution.started,
        "ExecutedBy": execution.started_by,
        **ended,
        **failure,
    }


def _started(state: SandboxState, execution: Execution) -> dict[str, Any]:
    executions(state)[execution.id] = execution
    return {"AutomationExecutionId": execution.id}


def _of_caller(state: SandboxState, call: Call) -> Execution:
    found = executions(state).get(call.parameters["AutomationExecutionId"])
    if found is None or (found.account_id, found.region) != (call.caller.account_id, call.region):
        raise ServiceError(
            "AutomationExecutionNotFoundException",
            "There is no automation execution information for the requested automation execution"
            " ID.",
        )
    return found


def _document(call: Call, name: str) -> dict[str, Any]:
    """Get the content of a runbook or change template."""
    if name in _OWN_RUNBOOKS:
        return _OWN_RUNBOOKS[name]
    found = ssm.documents(call).get(name)
    if found is None:
        raise ServiceError(
            "AutomationDefinitionNotFoundException",
            f"An Automation runbook with the specified name couldn't be found: {name}",
        )
    content: dict[str, Any] = found.get_default_version().content_json
    return content


def _is(caller: Caller, approver: dict[str, Any]) -> bool:
    kind = {"IamRole": "role", "IamUser": "user"}.get(str(approver.get("type")))
    return (caller.kind, caller.name) == (kind, approver.get("approver"))


def _run(state: SandboxState, call: Call, execution: Execution) -> None:
    """Run the runbook as the role that it assumes; the first failure ends it."""
    success, failure = ("Success", "Failed")
    if execution.is_change:
        success, failure = "CompletedWithSuccess", "CompletedWithFailure"
    runbook = _document(call, execution.runbook)
    try:
        caller = _assumed(execution, _filled(runbook.get("assumeRole", ""), execution))
        for step in runbook["mainSteps"]:
            _step(state, execution, caller, step)
        execution.status = success
    except ServiceError as error:
        execution.status = failure
        execution.failure = (
            f"Step fails when it is Execute/Cancelling action. {error.message}"
            f" (Error Code: {error.code})"
        )
    execution.ended = datetime.now(timezone.utc)


def _assumed(execution: Execution, arn: Any) -> Caller:
    """Assume the role of a runbook as Systems Manager.

    Raises:
        ServiceError: there is no such role, or its trust policy does not let Systems Manager in.
    """
    match = _ROLE.fullmatch(str(arn))
    target = role(match[1], match[2]) if match else None
    place = f"arn:{PARTITION}:ssm:{execution.region}:{execution.account_id}"
    request = AccessRequest(
        "sts:AssumeRole",
        str(arn),
        {
            "aws:SourceAccount": execution.account_id,
            "aws:SourceArn": f"{place}:automation-execution/{execution.id}",
        },
        {"Service": [_SYSTEMS_MANAGER]},
    )
    if target is None or (
        decide([parse_policy(target.assume_role_policy_document)], request, resource_policy=True)
        != "allowed"
    ):
        raise ServiceError(
            "InvalidAutomationExecutionParametersException",
            f"The defined assume role is unable to be assumed: {arn}",
        )
    session = f"arn:{PARTITION}:sts::{target.account_id}:assumed-role/{target.name}"
    return Caller(
        target.account_id, f"{session}/Automation-{execution.id}", "role", target.name, target.path
    )


def _step(state: SandboxState, execution: Execution, caller: Caller, step: dict[str, Any]) -> None:
    if step["action"] != "aws:changeInstanceState":
        raise ServiceError("UnsupportedAction", f"The sandbox has no action {step['action']}.")
    from moto.ec2.models import ec2_backends

    inputs = {name: _filled(value, execution) for name, value in step["inputs"].items()}
    given = inputs["InstanceIds"]
    ids = given if isinstance(given, list) else [given]
    backend = ec2_backends[caller.account_id][execution.region]
    for operation in ("DescribeInstances", _CALLS[inputs["DesiredState"]]):
        parameters = {"InstanceIds": ids}
        authorize(state, Call("ec2", operation, execution.region, caller, parameters, {}))
    if any(backend.get_instance_by_id(instance_id) is None for instance_id in ids):
        raise ServiceError(
            "InvalidInstanceID.NotFound", f"The instance IDs '{', '.join(ids)}' do not exist"
        )
    change = backend.stop_instances if inputs["DesiredState"] == "stopped" else None
    (change or backend.start_instances)(ids)


def _filled(value: Any, execution: Execution) -> Any:
    """Put an execution's parameters into a value; one that is a parameter alone keeps its type."""
    match = _PARAMETER.fullmatch(str(value))
    if not match:
        return value
    found = execution.parameters.get(match[1], [])
    return found[0] if match[1] == "AutomationAssumeRole" and found else found


OPERATIONS: dict[str, Operation] = {
    "DescribeAutomationExecutions": list_executions,
    "GetAutomationExecution": get,
    "SendAutomationSignal": signal,
    "StartAutomationExecution": start,
    "StartChangeRequestExecution": start_change,
}
