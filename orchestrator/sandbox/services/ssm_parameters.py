"""Systems Manager: who changed a parameter, and calls about instances, none of which is managed.

Sources: Systems Manager API Reference, ParameterMetadata, SendCommand, StartSession; real error
texts.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "ssm"
_PAGE = 10


def describe_parameters(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeParameters, in pages."""
    given = call.parameters
    found = _backend(call).describe_parameters(given.get("Filters"), given.get("ParameterFilters"))
    start, most = int(given.get("NextToken") or 0), given.get("MaxResults", _PAGE)
    more = {"NextToken": str(start + most)} if start + most < len(found) else {}
    shown = [_shown(state, call, parameter) for parameter in found[start : start + most]]
    return {"Parameters": shown, **more}


def _shown(state: SandboxState, call: Call, parameter: Any) -> dict[str, Any]:
    shown = {**parameter.describe_response_object(False), "Policies": []}
    arn = _arn(call, parameter)
    author = _authors(state).get((arn, parameter.version))
    return {
        **{name: value for name, value in shown.items() if name != "Value"},
        "ARN": arn,
        "LastModifiedUser": author or shown["LastModifiedUser"],
    }


def _arn(call: Call, parameter: Any) -> str:
    own = f"arn:{PARTITION}:ssm:{call.region}:{call.caller.account_id}"
    return f"{own}:parameter/{parameter.name.lstrip('/')}"


def _authors(state: SandboxState) -> dict[tuple[str, int], str]:
    """Get the caller who wrote each version of a parameter, by its ARN and number."""
    return state.of_service("ssm parameters", dict[tuple[str, int], str])


def note_author(state: SandboxState, call: Call, _headers: Any) -> None:
    """PutParameter: keep the caller's ARN."""
    held = _backend(call).get_parameter(call.parameters["Name"])
    _authors(state)[_arn(call, held), held.version] = call.caller.arn


def send_command(_state: SandboxState, call: Call) -> Any:
    """SendCommand, to instances by their ids."""
    if ids := call.parameters.get("InstanceIds"):
        text = f"Instances [[{', '.join(ids)}]] not in a valid state for account"
        raise ServiceError("InvalidInstanceId", f"{text} {call.caller.account_id}")
    return TO_MOTO


def start_session(_state: SandboxState, call: Call) -> dict[str, Any]:
    """StartSession."""
    raise ServiceError("TargetNotConnected", f"{call.parameters['Target']} is not connected.")


def _backend(call: Call) -> Any:
    from moto.ssm.models import ssm_backends  # takes a second to load

    return ssm_backends[call.caller.account_id][call.region]


AFTER = {"PutParameter": note_author}
OPERATIONS: dict[str, Operation] = {
    "DescribeParameters": describe_parameters,
    "SendCommand": send_command,
    "StartSession": start_session,
}
