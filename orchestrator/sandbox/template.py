"""Resolve the expressions of CloudFormation templates.

Source: CloudFormation User Guide, "Template reference": conditions, rules, intrinsic functions,
pseudo parameters. The error texts are those of the service.
"""

from __future__ import annotations

import base64
import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator.sandbox.template_format import check_export
from orchestrator.sandbox.template_functions import JOIN, SELECT
from orchestrator.sandbox.template_parameters import items_of, text_of
from orchestrator.sandbox.template_parser import TemplateError
from orchestrator.sandbox.template_references import IN_SUB, function_of, references

_NO_VALUE = object()
# What a change set shows for what is known after it has been executed.
UNKNOWN: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"
# The properties that name a resource of IAM: with one, CAPABILITY_IAM is not enough.
_NAMES = {"RoleName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName"}
_NEED_CAPABILITY = {
    f"AWS::IAM::{name}"
    for name in (
        *("AccessKey", "Group", "InstanceProfile", "ManagedPolicy", "Policy", "Role", "User"),
        *("UserToGroupAddition", "RolePolicy", "UserPolicy", "GroupPolicy"),
    )
}


def capabilities(template: Mapping[str, Any]) -> str:
    """Get the capability that a template requires: CAPABILITY_NAMED_IAM, CAPABILITY_IAM or ""."""
    resources = [r for r in template["Resources"].values() if r["Type"] in _NEED_CAPABILITY]
    if any(_NAMES & r.get("Properties", {}).keys() for r in resources):
        return "CAPABILITY_NAMED_IAM"
    return "CAPABILITY_IAM" if resources else ""


def types_with_capability(template: Mapping[str, Any]) -> list[str]:
    """List the resource types that require a capability."""
    types = (resource["Type"] for resource in template["Resources"].values())
    return sorted({type_ for type_ in types if type_ in _NEED_CAPABILITY})


@dataclass
class TemplateScope:
    """The scope in which a template's expressions are resolved.

    Attributes:
        values: of parameters and pseudo parameters.
        created: each resource that exists: its ``Ref`` and its attributes.
        exports: the exports of other stacks.
        planning: whether what does not exist yet is ``UNKNOWN``.
        imported: the exports that were asked for.
    """

    template: Mapping[str, Any]
    values: Mapping[str, Any]
    created: dict[str, Mapping[str, str]] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)
    planning: bool = False
    imported: set[str] = field(default_factory=set)

    def holds(self, condition: str) -> bool:
        """Evaluate a condition of the template."""
        conditions = self.template.get("Conditions", {})
        if condition not in conditions:
            raise TemplateError(f"Template format error: Condition {condition} is not defined.")
        return bool(self.resolve(conditions[condition]))

    def ordered_resources(self) -> dict[str, Mapping[str, Any]]:
        """Get the resources whose condition holds, each after its dependencies."""
        resources = self._active("Resources")
        ordered: dict[str, Mapping[str, Any]] = {}
        waiting = {name: self._needs(r) & resources.keys() for name, r in resources.items()}
        while waiting:
            ready = [name for name, needs in waiting.items() if needs <= ordered.keys()]
            if not ready:
                raise TemplateError(
                    f"Circular dependency between resources: [{', '.join(sorted(waiting))}]"
                )
            for name in ready:
                ordered[name] = resources[name]
                del waiting[name]
        return ordered

    def outputs(self) -> dict[str, Mapping[str, Any]]:
        """Get the outputs whose condition holds."""
        return self._active("Outputs")

    def _active(self, section: str) -> dict[str, Mapping[str, Any]]:
        return {
            name: member
            for name, member in self.template.get(section, {}).items()
            if "Condition" not in member or self.holds(member["Condition"])
        }

    def check_rules(self) -> None:
        """Evaluate the template's rules about its parameters.

        Raises:
            TemplateError: an assertion fails.
        """
        for name, rule in self.template.get("Rules", {}).items():
            if "RuleCondition" in rule and not self.resolve(rule["RuleCondition"]):
                continue
            for assertion in rule.get("Assertions", []):
                if not self.resolve(assertion["Assert"]):
                    says = assertion.get("AssertDescription", name)
                    raise TemplateError(f"Template validation error: {name}: {says}")

    def check_references(self) -> None:
        """Check that what exists refers to nothing whose condition does not hold.

        Raises:
            TemplateError: a reference does, or an expression cannot be resolved.
        """
        absent = self.template["Resources"].keys() - self._active("Resources").keys()
        for section, start in (("Resources", "Template format error: "), ("Outputs", "")):
            named = {
                name
                for member in self._active(section).values()
                for name in self._taken([member.get("Properties"), member.get("Value")])
            }
            if unknown := sorted(named & absent):
                raise TemplateError(
                    f"{start}Unresolved resource dependencies [{', '.join(unknown)}] in the"
                    f" {section} block of the template"
                )
            for name, member in self._active(section).items():
                export = self.resolve(member.get("Export"))
                if export is not None and not _depends_on_unknown(export.get("Name")):
                    check_export(name, export)
                _, output = self.resolve([member.get("Properties"), member.get("Value")])
                if isinstance(output, list):
                    raise TemplateError(
                        "Template format error: The Value field of every Outputs member must"
                        " evaluate to a String."
                    )

    def _needs(self, resource: Mapping[str, Any]) -> set[str]:
        depends = resource.get("DependsOn", [])
        named = {depends} if isinstance(depends, str) else set(depends)
        return named | set(self._taken(resource.get("Properties", {})))

    def _taken(self, value: Any) -> Iterator[str]:
        """Yield the names that a value refers to, without the branches that are not taken."""
        found = function_of(value)
        if found and found[0] == "Fn::If":
            condition, yes, no = found[1]
            yield from self._taken(yes if self.holds(condition) else no)
        elif found and found[0] in ("Ref", "Fn::GetAtt"):
            yield from (reference.name for reference in references(value))
        elif found and found[0] == "Fn::Sub":
            yield from (r.name for r in references(value) if r.function == "Fn::Sub")
            yield from self._taken(found[1] if isinstance(found[1], list) else None)
        elif isinstance(value, (list, dict)):
            for item in value.values() if isinstance(value, dict) else value:
                yield from self._taken(item)

    def resolve(self, value: Any) -> Any:
        """Resolve the expressions in a value; ``AWS::NoValue`` removes its property."""
        if isinstance(value, list):
            items = [self.resolve(item) for item in value]
            return [item for item in items if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if found := function_of(value):
            name, argument = found
            if name in ("Ref", "Condition"):
                return self._ref(argument) if name == "Ref" else self.holds(argument)
            return self._call(name.removeprefix("Fn::"), argument)
        resolved = {key: self.resolve(inner) for key, inner in value.items()}
        return {key: inner for key, inner in resolved.items() if inner is not _NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self.values:
            return items_of(self.template, name, self.values[name])
        return self._attribute(name, "Ref")

    def _attribute(self, resource: str, attribute: str) -> str:
        if attribute in self.created.get(resource, {}):
            return self.created[resource][attribute]
        if resource in self.created and not self.planning:
            kind = self.template["Resources"][resource]["Type"]
            raise TemplateError(f"Resource type {kind} does not support attribute {{{attribute}}}")
        if self.planning:
            return UNKNOWN
        raise TemplateError(f"Template error: {resource} cannot be referred to here")

    def _call(self, name: str, argument: Any) -> Any:
        if name == "If":
            condition, yes, no = argument
            return self.resolve(yes if self.holds(condition) else no)
        if name == "GetAtt":
            parts = argument if isinstance(argument, list) else argument.split(".", 1)
            return self._attribute(parts[0], str(self.resolve(parts[1])))
        if name == "Sub":
            text, more = argument if isinstance(argument, list) else (argument, {})
            extra = {key: self.resolve(inner) for key, inner in more.items()}
            made = IN_SUB.sub(lambda found: self._in_sub(found, extra), text)
            return UNKNOWN if self.planning and UNKNOWN in made else made
        resolved = self.resolve(argument)
        if self.planning and name not in _BOOLEAN and _depends_on_unknown(resolved):
            return UNKNOWN
        if name == "FindInMap":
            return self._in_map(str(resolved[0]), str(resolved[1]), str(resolved[2]), resolved[3:])
        if name == "ImportValue":
            if resolved not in self.exports and not self.planning:
                raise TemplateError(f"No export named {resolved} found")
            self.imported.add(str(resolved))
            return self.exports.get(resolved, UNKNOWN)
        if name == "GetAZs":
            return [f"{resolved or self.values['AWS::Region']}{zone}" for zone in "abc"]
        if name not in _FUNCTIONS:
            raise TemplateError(f"Template error: the sandbox does not know Fn::{name}")
        return _FUNCTIONS[name](resolved)

    def _in_map(self, name: str, key: str, attribute: str, default: list[Any]) -> Any:
        mappings = self.template.get("Mappings", {})
        if name not in mappings:
            raise TemplateError(
                f"Template error: Mapping named '{name}' is not present in the 'Mappings' section"
                " of template."
            )
        found = mappings[name].get(key, {}).get(attribute)
        if found is None and default:
            return default[0]["DefaultValue"]
        if found is None:
            raise TemplateError(
                f"Template error: Unable to get mapping for {name}::{key}::{attribute}"
            )
        return found

    def _in_sub(self, found: re.Match[str], extra: Mapping[str, Any]) -> str:
        literal, name = found.groups()
        if literal:
            return f"${{{name}}}"
        if name in extra:
            return text_of(extra[name])
        resource, _, attribute = name.partition(".")
        return text_of(self._attribute(resource, attribute) if attribute else self._ref(name))


def _depends_on_unknown(resolved: Any) -> bool:
    if isinstance(resolved, list):
        return any(_depends_on_unknown(item) for item in resolved)
    return isinstance(resolved, str) and UNKNOWN in resolved


def _select(argument: Any) -> Any:
    index, items = argument
    if not str(index).isdigit() or not isinstance(items, list):
        raise TemplateError(SELECT)
    if int(index) >= len(items):
        raise TemplateError(
            f"Template error: Fn::Select cannot select nonexistent value at index {index}"
        )
    return items[int(index)]


def _join(argument: Any) -> str:
    delimiter, items = argument
    if not isinstance(items, list) or any(isinstance(item, (list, dict)) for item in items):
        raise TemplateError(JOIN)
    return str(delimiter).join(map(text_of, items))


def _base64(argument: Any) -> str:
    return base64.b64encode(text_of(argument).encode()).decode()


def _cidr(argument: Any) -> list[str]:
    """Divide a CIDR block into ``count`` blocks with ``bits`` for hosts each (Fn::Cidr)."""
    network = ipaddress.ip_network(str(argument[0]), strict=False)
    bits = int(argument[2]) if len(argument) > 2 else 8
    blocks = network.subnets(new_prefix=network.max_prefixlen - bits)
    return [str(block) for block in itertools.islice(blocks, int(argument[1]))]


_BOOLEAN = ("And", "Equals", "Not", "Or", "Contains", "EachMemberEquals", "EachMemberIn")
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "And": all,
    "Base64": _base64,
    "Cidr": _cidr,
    "Contains": lambda a: a[1] in a[0],
    "EachMemberEquals": lambda a: all(item == a[1] for item in a[0]),
    "EachMemberIn": lambda a: {*a[0]} <= {*a[1]},
    "Equals": lambda a: text_of(a[0]) == text_of(a[1]),
    "Join": _join,
    "Length": len,
    "Not": lambda a: not a[0],
    "Or": any,
    "Select": _select,
    "Split": lambda a: text_of(a[1]).split(a[0]),
    "ToJsonString": lambda a: json.dumps(a, separators=(",", ":")),
}
