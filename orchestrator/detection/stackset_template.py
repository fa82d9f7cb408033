"""What a StackSet's template creates in each account, as far as its text alone tells.

Source: CloudFormation User Guide, "Template reference": AWS::IAM::Role, the policies that can be
attached to one, and the intrinsic functions. A function that needs the account stays as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.observed import Document, Role
from orchestrator.model.policy import as_list
from orchestrator.model.stackset import TemplateContent

_ROLE = "AWS::IAM::Role"
# Resources that only give a role permissions: removing one removes a policy.
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy")
_NOT_FN = {"Ref", "Condition"}  # short forms whose long form has no "Fn::"
_IN_SUB = re.compile(r"\$\{([^!${}][^${}]*)\}")


class _Constructor(SafeConstructor):
    """YAML with the short forms of intrinsic functions (``!Ref``, ``!Sub`` ...)."""

    def short(self, suffix: str, node: Any) -> Any:
        name = suffix if suffix in _NOT_FN else f"Fn::{suffix}"
        if isinstance(node, ScalarNode):
            value = self.construct_scalar(node)
            parts = value.split(".", 1)
            return {name: parts if suffix == "GetAtt" and len(parts) == 2 else value}
        if isinstance(node, MappingNode):
            return {name: self.construct_mapping(node, deep=True)}
        return {name: self.construct_sequence(node, deep=True)}


_Constructor.add_multi_constructor("!", _Constructor.short)
# The versions of policies and templates look like dates, and must stay text.
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_yaml_str)


@cache
def parse(text: str) -> Mapping[str, Any] | None:
    """Parse a template, JSON or YAML; None if the text is none. The result must not be changed."""
    try:
        document = json.loads(text)
    except ValueError:
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _Constructor
        try:
            document = yaml.load(text)
        except YAMLError:
            return None
    resources = document.get("Resources") if isinstance(document, dict) else None
    if not isinstance(resources, dict) or not resources:
        return None
    typed = all(isinstance(one, dict) and "Type" in one for one in resources.values())
    return dict(document) if typed else None


def read(text: str, parameters: Mapping[str, str], partition: str) -> TemplateContent | None:
    """Return what the template creates; None if it cannot be parsed.

    Args:
        text: the template's body.
        parameters: the StackSet's parameter values by name; they may hold an external id.
        partition: the value of ``AWS::Partition``.
    """
    parsed = parse(text)
    if parsed is None:
        return None
    resources = _resources(parsed, parameters, partition)
    made = {i: properties for i, (kind, properties) in resources.items() if kind == _ROLE}
    own = next((i for i, properties in made.items() if properties.get("RoleName") == API_ROLE), "")
    role = _role(made[own], resources, API_ROLE) if own else None
    if role:  # the template's own policies are among the inline ones
        outside = {a: p for a, p in role.managed.items() if a[2:-1] not in resources}
        role = replace(role, managed=outside)
    others = {i: kind for i, (kind, _) in resources.items() if i != own and kind not in _POLICIES}
    return TemplateContent(
        own,
        role,
        tuple(f"{i} ({kind})" for i, kind in sorted(others.items())),
        made[own].get("Path") if own else None,
    )


def roles(
    text: str, parameters: Mapping[str, str], partition: str
) -> tuple[dict[str, Role], dict[str, Document]]:
    """Return every role that the template makes, and the documents of its managed policies.

    Args:
        text: the template's body.
        parameters: the StackSet's parameter values, and those of ``AWS::...`` that are wanted.
        partition: the value of ``AWS::Partition``.

    Returns:
        The roles by name, and the managed policies by ``${LOGICAL_ID}``, as boundaries name them.
    """
    resources = _resources(parse(text) or {}, parameters, partition)
    attached = {i: r for i, r in resources.items() if r[0] in _POLICIES}
    managed = {i for i, (kind, _) in attached.items() if kind == "AWS::IAM::ManagedPolicy"}
    documents = {f"${{{i}}}": _document(attached[i][1].get("PolicyDocument")) for i in managed}
    found = {}
    for logical_id, (kind, properties) in resources.items():
        if kind == _ROLE:
            name = str(properties.get("RoleName", logical_id))
            own = {i: r for i, r in attached.items() if i not in managed or "Roles" in r[1]}
            role = _role(properties, own, name)
            known = {arn: documents.get(arn) for arn in role.managed}
            found[name] = replace(role, managed=known)
    return found, documents


def _resources(
    parsed: Mapping[str, Any], parameters: Mapping[str, str], partition: str
) -> dict[str, tuple[str, Document]]:
    """Return each resource's type and properties, with parameter values in their place."""
    declared = parsed.get("Parameters") or {}
    values = {name: str(p.get("Default", "")) for name, p in declared.items()}
    values |= {
        f"{name}.{top}.{second}": str(value)
        for name, rows in _document(parsed.get("Mappings")).items()
        for top, row in _document(rows).items()
        for second, value in _document(row).items()
    }
    values |= {**parameters, "AWS::Partition": partition, "AWS::URLSuffix": "amazonaws.com"}
    return {
        logical_id: (resource["Type"], _document(_resolved(resource.get("Properties"), values)))
        for logical_id, resource in (parsed.get("Resources") or {}).items()
    }


def _role(
    properties: Mapping[str, Any], resources: Mapping[str, tuple[str, Any]], name: str
) -> Role:
    inline: dict[str, Document] = {
        str(policy["PolicyName"]): _document(policy.get("PolicyDocument"))
        for policy in _items(properties.get("Policies"))
        if isinstance(policy, dict)
    }
    inline |= _policy_resources(resources)
    path = str(properties.get("Path", "/"))
    return Role(
        name,
        f"arn:*:iam::*:role{path}{name}",
        "",
        str(properties.get("Description", "")),
        _document(properties.get("AssumeRolePolicyDocument")),
        inline,
        {str(arn): None for arn in _items(properties.get("ManagedPolicyArns"))},
        properties.get("PermissionsBoundary"),
        max_session_duration=_seconds(properties.get("MaxSessionDuration")),
    )


def _policy_resources(resources: Mapping[str, tuple[str, Any]]) -> dict[str, Document]:
    """Return the policies that are resources of their own, whatever role they belong to.

    octo-tf's template has only those of additional actions, so the others would be removed.
    """
    return {
        f"{properties.get('PolicyName') or properties.get('ManagedPolicyName') or i} ({i})": (
            _document(properties.get("PolicyDocument"))
        )
        for i, (kind, properties) in resources.items()
        if kind in _POLICIES
    }


def _seconds(value: Any) -> int:
    """Return digits or a number as seconds; IAM's default, 3600, for anything else."""
    return int(value) if str(value).isdecimal() else 3600


def _items(value: Any) -> list[Any]:
    """Return a list's items, or a single item (an expression, for one) as a list."""
    return as_list(value) if value else []


def _document(value: Any) -> Document:
    """Return a policy or properties; empty if an expression stands in their place."""
    return value if isinstance(value, dict) else {}


def _resolved(value: Any, values: Mapping[str, str]) -> Any:
    """Resolve intrinsic functions with parameter values; unknown ones become ``${...}``."""
    if isinstance(value, list):
        return [item for item in (_resolved(i, values) for i in value) if item is not None]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref":
            return None if argument == "AWS::NoValue" else values.get(argument, f"${{{argument}}}")
        if name.startswith("Fn::"):
            return _evaluated(name.removeprefix("Fn::"), argument, values)
    found = {key: _resolved(inner, values) for key, inner in value.items()}
    return {key: inner for key, inner in found.items() if inner is not None}


def _evaluated(name: str, argument: Any, values: Mapping[str, str]) -> Any:
    if name == "Sub":
        text, more = argument if isinstance(argument, list) else (argument, {})
        known = {**values, **_resolved(more, values)}
        return _IN_SUB.sub(lambda found: str(known.get(found[1], found[0])), str(text))
    if name == "Join":
        separator, parts = argument
        return str(separator).join(map(str, _items(_resolved(parts, values))))
    if name == "GetAtt":
        return "${" + (argument if isinstance(argument, str) else ".".join(argument)) + "}"
    if name == "If":  # conditions are not evaluated: the first branch is the usual one
        return _resolved(argument[1], values)
    if name == "FindInMap":
        found = values.get(".".join(map(str, _items(_resolved(argument, values))[:3])))
        return found or f"${{Fn::{name}}}"
    return f"${{Fn::{name}}}"
