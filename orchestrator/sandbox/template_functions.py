"""Check the arguments of a template's functions.

Source: recorded errors of the service; CloudFormation User Guide, "Intrinsic function reference".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from orchestrator.sandbox.template_parser import TemplateError
from orchestrator.sandbox.template_references import IN_SUB, function_of

JOIN: Final = (
    "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2)"
    " a list of strings to be joined or a function that returns a list of strings (such as"
    " Fn::GetAZs) to be joined."
)
SELECT: Final = (
    "Template error: Fn::Select requires a list argument with two elements: an integer index and a"
    " list"
)
_SUB_NAMES = re.compile(r"[A-Za-z0-9_.:]+")
_SUPPORTED = (
    *("Fn::Base64", "Fn::GetAtt", "Fn::GetAZs", "Fn::ImportValue", "Fn::Join", "Fn::Split"),
    *("Fn::FindInMap", "Fn::Select", "Ref", "Fn::Equals", "Fn::If", "Fn::Not", "Condition"),
    *("Fn::And", "Fn::Or", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn"),
    *("Fn::ValueOf", "Fn::ValueOfAll", "Fn::RefAll", "Fn::Sub", "Fn::Cidr"),
)
# What is said of functions outside of the section Conditions.
_IN_CONDITIONS = {
    "Condition": "token can only be used in Conditions block",
    "Fn::Equals": "cannot be partially collapsed",
}
_BOOLEANS = (
    "Template error: every {} object requires a list of at least 2 and at most 10 boolean"
    " parameters."
)


def _is_list(argument: Any, least: int, most: int) -> bool:
    return isinstance(argument, list) and least <= len(argument) <= most


def _is_join(argument: Any) -> bool:
    return (
        _is_list(argument, 2, 2)
        and isinstance(argument[0], str)
        and (isinstance(argument[1], list) or function_of(argument[1]) is not None)
    )


def _is_select(argument: Any) -> bool:
    if not _is_list(argument, 2, 2):
        return False
    index, items = argument
    return (isinstance(index, dict) or str(index).isdigit()) and isinstance(items, (list, dict))


def _is_get_att(argument: Any) -> bool:
    if isinstance(argument, str):
        return bool(re.fullmatch(r"[^.]+\..+", argument))
    return _is_list(argument, 2, 2) and isinstance(argument[0], str) and bool(argument[0])


def _is_sub(argument: Any) -> bool:
    if isinstance(argument, str):
        return True
    return (
        _is_list(argument, 2, 2)
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
        and bool(argument[1])
    )


# What the argument of each function must be, and the error if it is not.
_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "Fn::And": (lambda a: _is_list(a, 2, 10), _BOOLEANS.format("Fn::And")),
    "Fn::Base64": (
        lambda a: not isinstance(a, list),
        "Template error: every Fn::Base64 object must have a String-typed value.",
    ),
    "Fn::Equals": (
        lambda a: _is_list(a, 2, 2),
        "Template error: every Fn::Equals object requires a list of 2 string parameters.",
    ),
    "Fn::FindInMap": (
        lambda a: _is_list(a, 3, 4),
        "Template error: every Fn::FindInMap object requires three parameters, the map name, map"
        " key and the attribute for return value",
    ),
    "Fn::GetAtt": (
        _is_get_att,
        "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource"
        " name and the resource attribute",
    ),
    "Fn::If": (
        lambda a: _is_list(a, 3, 3),
        "Template error: Fn::If requires a list argument with three elements",
    ),
    "Fn::Join": (_is_join, JOIN),
    "Fn::Not": (
        lambda a: _is_list(a, 1, 1),
        "Template error: every Fn::Not object requires one boolean parameter.",
    ),
    "Fn::Or": (lambda a: _is_list(a, 2, 10), _BOOLEANS.format("Fn::Or")),
    "Ref": (
        lambda a: isinstance(a, str),
        "Template error: every Ref object must have a single String value.",
    ),
    "Fn::Select": (_is_select, SELECT),
    "Fn::Split": (
        lambda a: _is_list(a, 2, 2) and isinstance(a[0], str),
        "Template error: every Fn::Split object requires two parameters, (1) a string delimiter"
        " and (2) a string to be split or a function that returns a string to be split.",
    ),
    "Fn::Sub": (
        _is_sub,
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments."
        " Specify a string as first argument, and an optional second argument to specify a mapping"
        " of values to replace in the string",
    ),
}


def check_function(template: Mapping[str, Any], section: str, name: str, argument: Any) -> None:
    """Check one function of a template; those of transforms are the transform's.

    Raises:
        TemplateError: it is unknown, its argument has another form, or names what is not there.
    """
    if name.startswith("Fn::") and name not in _SUPPORTED:
        if "Transform" in template or name == "Fn::Transform":
            return
        raise TemplateError(
            f"Template Error: Encountered unsupported function: {name} Supported functions are:"
            f" [{', '.join(_SUPPORTED)}]"
        )
    fits, message = _FORMS.get(name, (lambda _: True, ""))
    if not fits(argument):
        raise TemplateError(message)
    if section != "Conditions" and name in _IN_CONDITIONS and "Transform" not in template:
        raise TemplateError(f"Template error: {name} {_IN_CONDITIONS[name]}")
    conditions = template.get("Conditions", {})
    if name == "Condition" and section == "Conditions" and argument not in conditions:
        raise TemplateError(
            f"Template error: unresolved condition dependency {argument} in Condition"
        )
    if name == "Fn::If":
        if not isinstance(argument[0], str):
            raise TemplateError(
                "Template error: Fn::If requires a list argument with the first element being a"
                " condition"
            )
        if argument[0] not in conditions:
            raise TemplateError(
                f"Template error: unresolved condition dependency {argument[0]} in Fn::If"
            )
    if name == "Fn::FindInMap" and isinstance(argument[0], str):
        _check_mapping_exists(template, argument[0])
    if name == "Fn::Sub":
        text = argument if isinstance(argument, str) else argument[0]
        if not all(literal or _SUB_NAMES.fullmatch(n) for literal, n in IN_SUB.findall(text)):
            raise TemplateError(
                "Template error: variable names in Fn::Sub syntax must contain only alphanumeric"
                " characters, underscores, periods, and colons"
            )


def _check_mapping_exists(template: Mapping[str, Any], mapping: str) -> None:
    if mapping not in template.get("Mappings", {}):
        raise TemplateError(
            f"Template error: Mapping named '{mapping}' is not present in the 'Mappings' section"
            " of template."
        )
