"""Validate the parameters of CloudFormation templates, and resolve their expressions.

Source: CloudFormation User Guide, "Template reference": parameters, conditions, rules, intrinsic
functions, pseudo parameters. The error texts are those of the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.sandbox.template_parser import TemplateError

_NO_VALUE = object()
_IN_SUB = re.compile(r"\$\{(!?)([^${}]+)\}")


def capabilities(template: Mapping[str, Any]) -> str:
    """Get the capability that a template requires: CAPABILITY_NAMED_IAM, CAPABILITY_IAM or ""."""
    roles = [r for r in template["Resources"].values() if r["Type"].startswith("AWS::IAM::")]
    if any("RoleName" in role.get("Properties", {}) for role in roles):
        return "CAPABILITY_NAMED_IAM"
    return "CAPABILITY_IAM" if roles else ""


def values_of(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    """Get the parameters' values, including defaults.

    Raises:
        TemplateError: a parameter is missing, unknown, or violates a constraint.
    """
    declared = template.get("Parameters", {})
    if unknown := sorted(parameters.keys() - declared.keys()):
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [n for n, p in declared.items() if n not in parameters and "Default" not in p]
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    values = {n: str(parameters.get(n, p.get("Default", ""))) for n, p in declared.items()}
    for name, value in values.items():
        _check_value(name, value, declared[name])
    return values


def _check_value(name: str, value: str, declared: Mapping[str, Any]) -> None:
    allowed, pattern = declared.get("AllowedValues"), declared.get("AllowedPattern")
    mistake = ""
    if allowed is not None and value not in map(str, allowed):
        mistake = f"Parameter '{name}' must be one of AllowedValues"
    elif len(value) < int(declared.get("MinLength", 0)):
        mistake = f"Parameter '{name}' must contain at least {declared['MinLength']} characters"
    elif len(value) > int(declared.get("MaxLength", len(value))):
        mistake = f"Parameter '{name}' must contain at most {declared['MaxLength']} characters"
    elif pattern is not None and not re.fullmatch(pattern, value):
        mistake = f"Parameter '{name}' must match pattern {pattern}"
    if mistake:
        raise TemplateError(
            f"Parameter {name} failed to satisfy constraint: {declared['ConstraintDescription']}"
            if "ConstraintDescription" in declared
            else mistake
        )


@dataclass
class TemplateScope:
    """The scope in which a template's expressions are resolved.

    ``created`` has each resource that exists: its ``Ref`` and its attributes.
    """

    template: Mapping[str, Any]
    values: Mapping[str, Any]  # parameters and pseudo parameters
    created: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def holds(self, condition: str) -> bool:
        """Evaluate a condition of the template."""
        conditions = self.template.get("Conditions", {})
        if condition not in conditions:
            raise TemplateError(
                f"Template format error: Unresolved dependencies [{condition}]. Cannot reference"
                " resources in the Conditions block of the template"
            )
        return bool(self.resolve(conditions[condition]))

    def ordered_resources(self) -> dict[str, Mapping[str, Any]]:
        """Get the resources whose condition holds, each after its dependencies."""
        resources = {
            name: resource
            for name, resource in self.template["Resources"].items()
            if "Condition" not in resource or self.holds(resource["Condition"])
        }
        ordered: dict[str, Mapping[str, Any]] = {}
        waiting = {name: set(self._needs(r)) & resources.keys() for name, r in resources.items()}
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
        """Check that every reference is to a resource or parameter of the template.

        Raises:
            TemplateError: a reference is not.
        """
        known = {*self.template["Resources"], *self.values}
        for resource in self.template["Resources"].values():
            unknown = sorted(set(self._needs(resource)) - known)
            if unknown:
                raise TemplateError(
                    f"Template format error: Unresolved resource dependencies"
                    f" [{', '.join(unknown)}] in the Resources block of the template"
                )

    def _needs(self, resource: Mapping[str, Any]) -> Iterator[str]:
        depends = resource.get("DependsOn", [])
        yield from [depends] if isinstance(depends, str) else depends
        yield from _references(resource.get("Properties", {}))

    def resolve(self, value: Any) -> Any:
        """Resolve the expressions in a value; ``AWS::NoValue`` removes its property."""
        if isinstance(value, list):
            items = [self.resolve(item) for item in value]
            return [item for item in items if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in ("Ref", "Condition") and isinstance(argument, str):
                return self._ref(argument) if name == "Ref" else self.holds(argument)
            if name.startswith("Fn::"):
                return self._call(name.removeprefix("Fn::"), argument)
        resolved = {key: self.resolve(inner) for key, inner in value.items()}
        return {key: inner for key, inner in resolved.items() if inner is not _NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self.values:
            return self.values[name]
        if name in self.created:
            return self.created[name]["Ref"]
        raise TemplateError(f"Template error: {name} cannot be referred to here")

    def _call(self, name: str, argument: Any) -> Any:
        if name == "If":
            condition, yes, no = argument
            return self.resolve(yes if self.holds(condition) else no)
        if name == "GetAtt":
            resource, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
            return self.created[resource][attribute]
        if name == "Sub":
            text, more = argument if isinstance(argument, list) else (argument, {})
            extra = {key: self.resolve(inner) for key, inner in more.items()}
            return _IN_SUB.sub(lambda found: self._in_sub(found, extra), text)
        resolved = self.resolve(argument)
        if name == "Equals":
            return str(resolved[0]) == str(resolved[1])
        if name == "Contains":
            return resolved[1] in resolved[0]
        if name == "Join":
            return str(resolved[0]).join(map(str, resolved[1]))
        if name == "Split":
            return str(resolved[1]).split(resolved[0])
        if name == "Select":
            return resolved[1][int(resolved[0])]
        if name in ("And", "Or"):
            return all(resolved) if name == "And" else any(resolved)
        if name == "Not":
            return not resolved[0]
        raise TemplateError(f"Template error: the sandbox does not know Fn::{name}")

    def _in_sub(self, found: re.Match[str], extra: Mapping[str, Any]) -> str:
        literal, name = found.groups()
        if literal:
            return f"${{{name}}}"
        if name in extra:
            return str(extra[name])
        resource, _, attribute = name.partition(".")
        return str(self.created[resource][attribute] if attribute else self._ref(name))


def _references(value: Any) -> Iterator[str]:
    """Yield the names that a value's expressions refer to and that may be resources."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
        return
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == "Ref" and isinstance(inner, str):
            if inner != "AWS::NoValue":
                yield inner
        elif name == "Fn::GetAtt":
            yield inner[0] if isinstance(inner, list) else inner.split(".", 1)[0]
        elif name == "Fn::Sub":
            text, more = inner if isinstance(inner, list) else (inner, {})
            for literal, found in _IN_SUB.findall(text):
                if not literal and found not in more:
                    yield found.split(".", 1)[0]
            yield from _references(more)
        else:
            yield from _references(inner[1:] if name == "Fn::If" else inner)
