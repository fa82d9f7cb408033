"""Check the parameters of CloudFormation templates, and get their values.

Source: CloudFormation User Guide, "Parameters"; the error texts are those of the service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.template_parser import TemplateError

_OF_STORE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")


def values_of(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    """Get the parameters' values, including defaults.

    Raises:
        TemplateError: a parameter is missing, unknown, or violates a constraint.
    """
    declared = template.get("Parameters", {})
    if unknown := sorted(parameters.keys() - declared.keys()):
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [n for n, p in declared.items() if n not in parameters and "Default" not in p]
    for name in missing:
        if _OF_STORE.fullmatch(declared[name]["Type"]):
            raise TemplateError(f"Parameter {name} should either have input value or default value")
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    values = {n: text_of(parameters.get(n, p.get("Default", ""))) for n, p in declared.items()}
    for name, value in values.items():
        _check(name, value, declared[name])
    return values


def stored_names(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """Get the names in the Parameter Store whose values the parameters stand for."""
    return {name: value for name, value in values.items() if is_stored(template, name)}


def is_stored(template: Mapping[str, Any], name: str) -> bool:
    """Whether a parameter's value is a name in the Parameter Store."""
    kind = template.get("Parameters", {}).get(name, {}).get("Type", "")
    return _OF_STORE.fullmatch(kind) is not None


def items_of(template: Mapping[str, Any], name: str, value: Any) -> Any:
    """Split a parameter's value if its type is a list."""
    kind = template.get("Parameters", {}).get(name, {}).get("Type", "")
    if found := _OF_STORE.fullmatch(kind):
        kind = found[1]
    if isinstance(value, str) and (kind == "CommaDelimitedList" or kind.startswith("List<")):
        return [item.strip() for item in value.split(",")]
    return value


def text_of(value: Any) -> str:
    """Write a scalar as templates do: ``true``, not ``True``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check(name: str, value: str, declared: Mapping[str, Any]) -> None:
    allowed, pattern = declared.get("AllowedValues"), declared.get("AllowedPattern")
    kind = declared["Type"]
    items = items_of({"Parameters": {name: declared}}, name, value)
    several = items if isinstance(items, list) else [items]
    mistake = ""
    if kind in ("Number", "List<Number>") and (wrong := _not_a_number(several, declared)):
        mistake = f"Parameter '{name}' must be a number{wrong}"
    elif allowed is not None and not {*several} <= {text_of(each) for each in allowed}:
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


def _not_a_number(values: list[str], declared: Mapping[str, Any]) -> str:
    """How the error about a number ends; empty if all values are allowed numbers."""
    for value in values:
        try:
            number = float(value)
        except ValueError:
            return "."
        if number < float(declared.get("MinValue", number)):
            return f" not less than {declared['MinValue']}"
        if number > float(declared.get("MaxValue", number)):
            return f" not greater than {declared['MaxValue']}"
    return ""
