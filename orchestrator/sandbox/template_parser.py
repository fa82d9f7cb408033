"""Parse CloudFormation templates: JSON, or YAML 1.1 with the short forms of functions.

The sandbox judges octo-tf's templates, so this parser shares no code with octo-tf's, and reads
YAML with another library.

Source: CloudFormation User Guide, "CloudFormation template formats" (YAML 1.1 without aliases,
hash merges, and the binary, omap, pairs, set and timestamp tags) and "Intrinsic function
reference". The error texts are those of the service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

import yaml

from orchestrator.sandbox import template_loops

_SCALARS = {f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null")}
_UNSUPPORTED = {f"tag:yaml.org,2002:{name}" for name in ("binary", "merge", "omap", "pairs", "set")}


class TemplateError(ValueError):
    """CloudFormation refuses the template or its parameters; the text is CloudFormation's."""


@lru_cache(maxsize=256)
def parse_template(text: str) -> Mapping[str, Any]:
    """Parse a template; callers must not change the result, which is shared.

    Raises:
        TemplateError: the text is not a template.
    """
    template = _load(text)
    if not isinstance(template, dict):
        raise TemplateError("Template format error: unsupported structure.")
    _check_nulls(template, "")
    if "AWS::LanguageExtensions" in transforms(template):
        try:
            template = dict(template_loops.expand(template))
        except ValueError as error:
            raise TemplateError(f"Template error: {error}") from None
    resources = template.get("Resources", {})
    if isinstance(resources, str):
        raise TemplateError("Template format error: Any Resources member must be an object.")
    if not isinstance(resources, dict) or not resources:
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    for logical_id, resource in resources.items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise TemplateError(
                f"Template format error: [/Resources/{logical_id}] Every Resources object must"
                " contain a Type member."
            )
    return template


def transforms(template: Mapping[str, Any]) -> list[str]:
    """List the macros that the Transform section of a template names."""
    declared = template.get("Transform", [])
    each = declared if isinstance(declared, list) else [declared]
    return [str(one.get("Name")) if isinstance(one, dict) else str(one) for one in each]


def _check_nulls(value: Any, path: str) -> None:
    """Check that nothing is null; a property's path has "Type" where its resource has Properties.

    Raises:
        TemplateError: something is.
    """
    if value is None:
        path = re.sub("^(/Resources/[^/]+)/Properties/", r"\1/Type/", path)
        raise TemplateError(f"[{path}] 'null' values are not allowed in templates")
    if isinstance(value, (dict, list)):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            _check_nulls(item, f"{path}/{name}")


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        json_error = error
    loader = yaml.SafeLoader(text)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise TemplateError(
                "Template error: YAML aliases are not allowed in CloudFormation templates"
            )
        root = loader.get_single_node()
        return None if root is None else _value(loader, root)
    except yaml.YAMLError as error:
        if text.lstrip().startswith("{"):
            language, line, column = "JSON", json_error.lineno, json_error.colno + 1
        else:
            language, (line, column) = "YAML", _place(error)
        raise TemplateError(
            f"Template format error: {language} not well-formed. (line {line}, column {column})"
        ) from None
    finally:
        loader.dispose()


def _place(error: yaml.YAMLError) -> tuple[int, int]:
    mark = getattr(error, "problem_mark", None)
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _value(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    """Convert a YAML node; a local tag such as ``!Ref`` becomes a mapping of one function."""
    if node.tag.startswith("!") and node.tag != "!":
        return _function(loader, node, node.tag[1:])
    if node.tag in _UNSUPPORTED:
        raise TemplateError(f"Template format error: unsupported YAML tag {node.tag}")
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_object(node) if node.tag in _SCALARS else node.value
    return _content(loader, node)


def _function(loader: yaml.SafeLoader, node: yaml.Node, name: str) -> dict[str, Any]:
    if not isinstance(node, yaml.ScalarNode):
        argument = _content(loader, node)
    elif name == "GetAtt":
        argument = node.value.split(".", 1)
    else:
        argument = node.value
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": argument}


def _content(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    """Convert the items of a sequence, or the entries of a mapping, whatever the node's tag."""
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item) for item in node.value]
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = _value(loader, key_node)
        if not isinstance(key, Hashable) or key in mapping:
            problem = f"duplicate or unsupported key {key!r}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
        mapping[key] = _value(loader, value_node)
    return mapping
