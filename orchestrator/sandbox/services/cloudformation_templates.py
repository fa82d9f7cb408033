"""CloudFormation: get, summarize and validate templates.

Source: CloudFormation API Reference, GetTemplate, GetTemplateSummary, ValidateTemplate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from orchestrator.sandbox import resources, stack_changes, template
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.stack_arguments import (
    change_set_of,
    given_parameters,
    invalid,
    stack_of,
)
from orchestrator.sandbox.stackset_arguments import stack_set_of
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.template_format import checked_template
from orchestrator.sandbox.template_parameters import text_of, values_of
from orchestrator.sandbox.template_parser import TemplateError, transforms
from orchestrator.sandbox.template_source import body_of
from orchestrator.sandbox.wire import Call

SERVICE = "cloudformation"


def get_template(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetTemplate: the text that the stack, or the change set, was created with."""
    if "ChangeSetName" in call.parameters:
        body = change_set_of(state, call)[1].template
    else:
        body = stack_of(state, call).template
    return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}


def summarize(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetTemplateSummary: of a template, of a stack or of a stack set."""
    named = [n for n in ("StackName", "StackSetName") if n in call.parameters]
    if len(named) + len({"TemplateBody", "TemplateURL"} & call.parameters.keys()) > 1:
        raise invalid(
            "You can specify only one of the following: TemplateBody, TemplateURL, StackName,"
            " StackSetName"
        )
    if named == ["StackName"]:
        stack = stack_of(state, call)
        if stack.status == "REVIEW_IN_PROGRESS":
            raise invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
        body = stack.template
    elif named:
        body = stack_set_of(state, call).settings["TemplateBody"]
    else:
        body = body_of(state, call)
    parsed = _checked(call, body)
    summary = _summarized(parsed)
    identifiers: dict[str, list[str]] = {}
    for logical_id, resource in parsed["Resources"].items():
        identifiers.setdefault(resource["Type"], []).append(logical_id)
    known = resources.find()
    identified = {name for name, type_ in known.items() if type_.identifiers}
    summary["ResourceIdentifierSummaries"] = [
        {"ResourceType": type_, "LogicalResourceIds": ids}
        | ({"ResourceIdentifiers": list(known[type_].identifiers)} if type_ in identified else {})
        for type_, ids in sorted(identifiers.items())
    ]
    summary["ResourceTypes"] = sorted(identifiers)
    summary["Version"] = str(parsed.get("AWSTemplateFormatVersion", "2010-09-09"))
    if "Metadata" in parsed:
        summary["Metadata"] = str(parsed["Metadata"])
    return summary


def validate(state: SandboxState, call: Call) -> dict[str, Any]:
    """ValidateTemplate."""
    summary = _summarized(_checked(call, body_of(state, call)))
    for parameter in summary["Parameters"]:
        parameter.pop("ParameterType")
        parameter.pop("ParameterConstraints")
    return summary


def estimate(state: SandboxState, call: Call) -> dict[str, Any]:
    """EstimateTemplateCost: the URL of AWS's calculator, which the sandbox does not serve."""
    body = body_of(state, call)
    try:
        values_of(_checked(call, body), given_parameters(call.parameters, {}))
    except TemplateError as error:
        raise invalid(str(error)) from None
    return {"Url": f"http://calculator.s3.amazonaws.com/calc5.html?key=cloudformation/{uuid4()}"}


def _checked(call: Call, body: str) -> Mapping[str, Any]:
    try:
        parsed = checked_template(body)
        stack_changes.check_types(parsed, call.region)
    except TemplateError as error:
        raise invalid(str(error)) from None
    return parsed


def _summarized(parsed: Mapping[str, Any]) -> dict[str, Any]:
    needed = template.capabilities(parsed)
    summary: dict[str, Any] = {
        "Parameters": [_declared(n, p) for n, p in parsed.get("Parameters", {}).items()],
    }
    if "Description" in parsed:
        summary["Description"] = parsed["Description"]
    if needed:
        types = ", ".join(template.types_with_capability(parsed))
        summary["Capabilities"] = [needed]
        summary["CapabilitiesReason"] = f"The following resource(s) require capabilities: [{types}]"
    if "Transform" in parsed:
        summary["DeclaredTransforms"] = transforms(parsed)
    return summary


def _declared(name: str, parameter: Mapping[str, Any]) -> dict[str, Any]:
    allowed = [text_of(value) for value in parameter.get("AllowedValues", [])]
    declared = {
        "ParameterKey": name,
        "ParameterType": parameter["Type"],
        "NoEcho": text_of(parameter.get("NoEcho", False)) == "true",
        "ParameterConstraints": {"AllowedValues": allowed} if allowed else {},
    }
    if "Description" in parameter:
        declared["Description"] = parameter["Description"]
    if "Default" in parameter:
        declared["DefaultValue"] = text_of(parameter["Default"])
    return declared


OPERATIONS: dict[str, Operation] = {
    "EstimateTemplateCost": estimate,
    "GetTemplate": get_template,
    "GetTemplateSummary": summarize,
    "ValidateTemplate": validate,
}
