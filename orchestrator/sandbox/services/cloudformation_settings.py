"""CloudFormation: stack policies, termination protection, exports and account limits.

Source: CloudFormation API Reference, SetStackPolicy, GetStackPolicy, UpdateTerminationProtection,
ListExports, ListImports, DescribeAccountLimits; recorded answers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.sandbox import stacks
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.cloudformation_views import page
from orchestrator.sandbox.stack_arguments import check_stack_policy, invalid, stack_of
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.template_source import body_of
from orchestrator.sandbox.wire import Call

SERVICE = "cloudformation"
_LIMITS = {"StackLimit": 2000, "StackOutputsLimit": 200, "ConcurrentResourcesLimit": 2500}


def set_policy(state: SandboxState, call: Call) -> dict[str, Any]:
    """SetStackPolicy: by its text, or by a URL in S3."""
    stack, arguments = stack_of(state, call), call.parameters
    if {"StackPolicyBody", "StackPolicyURL"} <= arguments.keys():
        raise invalid("You cannot specify both StackPolicyURL and StackPolicyBody")
    if url := arguments.get("StackPolicyURL"):
        text = body_of(state, replace(call, parameters={"TemplateURL": url}))
    else:
        text = arguments.get("StackPolicyBody", "")
    check_stack_policy(text)
    stack.policy = text
    return {}


def get_policy(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetStackPolicy: nothing, for a stack without one."""
    policy = stack_of(state, call).policy
    return {} if policy is None else {"StackPolicyBody": policy}


def protect(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateTerminationProtection."""
    stack = stack_of(state, call)
    if stack.deleted is not None:
        raise invalid(f"Stack [{stack.name}] does not exist")
    protected = call.parameters["EnableTerminationProtection"]
    stack.settings = {**stack.settings, "EnableTerminationProtection": protected}
    return {"StackId": stack.id}


def list_exports(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListExports."""
    found = stacks.exports(state, call.caller.account_id, call.region)
    return page(
        call,
        "Exports",
        [
            {"ExportingStackId": stack_id, "Name": name, "Value": value}
            for name, (stack_id, value) in sorted(found.items())
        ],
    )


def list_imports(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListImports: an export that no stack imports is an error."""
    name, own = call.parameters["ExportName"], (state, call.caller.account_id, call.region)
    names = sorted(stack.name for stack in stacks.existing(*own) if name in stack.imports)
    if name not in stacks.exports(*own) or not names:
        raise invalid(f"Export '{name}' is not imported by any stack.")
    return {"Imports": names}


def limits(_state: SandboxState, _call: Call) -> dict[str, Any]:
    """DescribeAccountLimits."""
    return {"AccountLimits": [{"Name": name, "Value": most} for name, most in _LIMITS.items()]}


# Lists that are empty in every account: the member of the answer, by operation.
_NONE = {
    "ListGeneratedTemplates": "Summaries",
    "ListResourceScans": "ResourceScanSummaries",
    "ListStackRefactors": "StackRefactorSummaries",
    "ListTypeRegistrations": "RegistrationTokenList",
    "ListTypes": "TypeSummaries",
}


def list_none(_state: SandboxState, call: Call) -> dict[str, Any]:
    """Answer ListTypes and other lists that are empty in every account."""
    return {_NONE[call.operation]: []}


OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(_NONE, list_none),
    "DescribeAccountLimits": limits,
    "GetStackPolicy": get_policy,
    "ListExports": list_exports,
    "ListImports": list_imports,
    "SetStackPolicy": set_policy,
    "UpdateTerminationProtection": protect,
}
