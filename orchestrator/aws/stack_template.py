"""CloudFormation templates as text: JSON, or YAML with the short forms of functions.

Source: CloudFormation User Guide, "Template reference" and "Intrinsic function reference". The
error texts are those of the service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

_NOT_FN = {"Ref", "Condition"}  # short forms whose long form has no "Fn::"


class TemplateError(ValueError):
    """The template, or the parameters given to it, are refused; says so as CloudFormation does."""


class _Constructor(SafeConstructor):
    """YAML with CloudFormation's short forms (``!Ref``, ``!Sub`` ...)."""

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
# Dates stay what is written: policies and templates have versions that look like one.
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_yaml_str)


@cache
def parse(text: str) -> Mapping[str, Any]:
    """A template of JSON or YAML; it must not be changed.

    Raises:
        TemplateError: it is none.
    """
    try:
        try:
            document = json.loads(text)
        except ValueError:
            yaml = YAML(typ="safe", pure=True)
            yaml.Constructor = _Constructor
            document = yaml.load(text)
    except YAMLError as error:
        raise TemplateError(f"Template format error: YAML not well-formed. ({error})") from None
    resources = document.get("Resources") if isinstance(document, dict) else None
    if not isinstance(resources, dict) or not resources:
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    for name, resource in resources.items():
        if not isinstance(resource, dict) or "Type" not in resource:
            raise TemplateError(
                f"Template format error: [/Resources/{name}] Every Resources object must contain a"
                " Type member."
            )
    return dict(document)
