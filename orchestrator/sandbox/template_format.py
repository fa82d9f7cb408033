"""Check the format of CloudFormation templates: sections, members, functions and references.

What depends on the values of parameters is checked elsewhere (``template``).

Source: recorded errors of the service; CloudFormation User Guide, "Template anatomy",
"CloudFormation quotas"; re:Post, "How do I resolve template validation errors".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from orchestrator.sandbox.template_functions import check_function
from orchestrator.sandbox.template_parser import TemplateError, parse_template
from orchestrator.sandbox.template_references import (
    PSEUDO_PARAMETERS,
    expressions,
    function_of,
    references,
)

_SECTIONS = {
    *("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings"),
    *("Conditions", "Transform", "Hooks", "Resources", "Outputs"),
}
_MAPS = ("Parameters", "Rules", "Mappings", "Conditions", "Outputs")
_RESOURCE_MEMBERS = {
    *("Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy"),
    *("UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy", "Fn::Transform"),
}
_PARAMETER_MEMBERS = {
    *("Type", "Default", "Description", "NoEcho", "AllowedPattern", "AllowedValues"),
    *("ConstraintDescription", "MinLength", "MaxLength", "MinValue", "MaxValue"),
}
_OUTPUT_MEMBERS = {"Value", "Description", "Condition", "Export"}
# The constraints that only one of the simple types of parameters can have.
_SIMPLE_TYPES = {"CommaDelimitedList", "Number", "String"}
_CONSTRAINTS = {
    **dict.fromkeys(("MinLength", "MaxLength"), "String"),
    **dict.fromkeys(("MinValue", "MaxValue"), "Number"),
}
_PARAMETER_TYPE = re.compile(
    r"String|Number|CommaDelimitedList|List<(Number|String|AWS::[\w:]+)>|AWS::SSM::Parameter::Name"
    r"|AWS::SSM::Parameter::Value<.+>|AWS::[\w:]+"
)
_POLICIES = {
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}
# The types of which a deletion can leave a snapshot.
_WITH_SNAPSHOTS = {
    *("AWS::DocDB::DBCluster", "AWS::EC2::Volume", "AWS::ElastiCache::CacheCluster"),
    *("AWS::ElastiCache::ReplicationGroup", "AWS::Neptune::DBCluster", "AWS::RDS::DBCluster"),
    *("AWS::RDS::DBInstance", "AWS::Redshift::Cluster"),
}
_MOST = {"resources": 500, "parameters": 200, "outputs": 200, "mappings": 200}
_DESCRIPTION_BYTES = 1024
_EXPORT = re.compile(r"[a-zA-Z0-9:-]+")
_ALPHANUMERIC = re.compile(r"[a-zA-Z0-9]+")


@lru_cache(maxsize=256)
def checked_template(text: str) -> Mapping[str, Any]:
    """Parse a template and check its format; callers must not change the result.

    Raises:
        TemplateError: the text is no template, or CloudFormation would refuse it.
    """
    template = parse_template(text)
    _check_sections(template)
    _check_names(template)
    _check_parameters(template.get("Parameters", {}))
    _check_mappings(template.get("Mappings", {}))
    for logical_id, resource in template["Resources"].items():
        _check_resource(logical_id, resource)
    _check_outputs(template.get("Outputs", {}))
    for section in ("Conditions", "Resources", "Outputs"):
        for name, argument in expressions(template.get(section, {})):
            check_function(template, section, name, argument)
    _check_conditions(template)
    _check_references(template)
    _check_circular(template["Resources"])
    return template


def _check_sections(template: Mapping[str, Any]) -> None:
    if unknown := [str(name) for name in template if name not in _SECTIONS]:
        raise TemplateError(f"Invalid template property or properties [{', '.join(unknown)}]")
    if str(template.get("AWSTemplateFormatVersion", "2010-09-09")) != "2010-09-09":
        raise TemplateError(
            "Template format error: unsupported value for AWSTemplateFormatVersion."
        )
    description = template.get("Description", "")
    if not isinstance(description, str):
        raise TemplateError("Template format error: Any Description member must be a string.")
    if len(description.encode()) > _DESCRIPTION_BYTES:
        raise TemplateError(
            f"Template format error: 'Description' length is greater than {_DESCRIPTION_BYTES}."
        )
    for section in _MAPS:
        if not isinstance(template.get(section, {}), dict):
            raise TemplateError(f"Template format error: Any {section} member must be an object.")
    for kind, most in _MOST.items():
        if (number := len(template.get(kind.title(), {}))) > most:
            raise TemplateError(
                f"Template format error: Number of {kind}, {number}, is greater than maximum"
                f" allowed, {most}"
            )


def _check_names(template: Mapping[str, Any]) -> None:
    for section in ("Parameters", "Resources", "Outputs"):
        for name in template.get(section, {}):
            if not _ALPHANUMERIC.fullmatch(str(name)):
                raise TemplateError(
                    f"Template format error: {section[:-1]} name {name} is non alphanumeric."
                )
    if common := sorted(template.get("Parameters", {}).keys() & template["Resources"].keys()):
        raise TemplateError(
            "Template error: all resources and parameters must have unique names. Common name(s):"
            f"[{', '.join(common)}]"
        )


def _check_parameters(parameters: Mapping[str, Any]) -> None:
    for name, parameter in parameters.items():
        if not isinstance(parameter, dict) or "Type" not in parameter:
            raise TemplateError(
                "Template format error: Every Parameters object must contain a Type member."
            )
        if unknown := [name for name in parameter if name not in _PARAMETER_MEMBERS]:
            raise TemplateError(f"Invalid template parameter property '{unknown[0]}'")
        if not _PARAMETER_TYPE.fullmatch(str(parameter["Type"])):
            raise TemplateError(
                f"Template format error: Unrecognized parameter type: {parameter['Type']}"
            )
        if isinstance(parameter.get("Default"), (dict, list)):
            raise TemplateError("Template format error: Every Default member must be a string.")
        for member, kind in _CONSTRAINTS.items():
            if member in parameter and parameter["Type"] in _SIMPLE_TYPES - {kind}:
                raise TemplateError(
                    f"Template error: Parameter '{name}' {member} must be on a parameter of type"
                    f" {kind}"
                )


def _check_mappings(mappings: Mapping[str, Any]) -> None:
    for mapping in mappings.values():
        if not isinstance(mapping, dict):
            raise TemplateError("Template format error: Any Mappings member must be an object.")
        for key, attributes in mapping.items():
            if not isinstance(attributes, dict):
                raise TemplateError(
                    f"Template format error: Every Mappings member {key} must be a map"
                )
            if any(isinstance(value, dict) for value in attributes.values()):
                raise TemplateError(
                    "Template format error: Every Mappings attribute must be a String or a List."
                )


def _check_resource(logical_id: str, resource: Mapping[str, Any]) -> None:
    for name in resource:
        if name not in _RESOURCE_MEMBERS:
            raise TemplateError(f"Invalid template resource property '{name}'")
    if not isinstance(resource.get("Properties", {}), dict):
        raise TemplateError(
            f"Template format error: [/Resources/{logical_id}/Properties] Properties must be an"
            " object."
        )
    if not isinstance(resource.get("Condition", ""), str):
        raise TemplateError("Template format error: Every Condition member must be a string.")
    depends = resource.get("DependsOn", [])
    if isinstance(depends, dict):
        raise TemplateError("Template format error: DependsOn must be a string or list of strings.")
    names = depends if isinstance(depends, list) else [depends]
    if not all(isinstance(name, str) for name in names):
        raise TemplateError("Template format error: Every DependsOn value must be a string.")
    for member, allowed in _POLICIES.items():
        policy = resource.get(member, "Delete")
        if function_of(policy) is not None:
            continue
        if not isinstance(policy, str):
            raise TemplateError(f"Template format error: Every {member} member must be a string.")
        if policy not in allowed:
            raise TemplateError(
                f"Template format error: Unrecognized {member} {policy} for resource {logical_id}"
            )
    if resource.get("DeletionPolicy") == "Snapshot" and resource["Type"] not in _WITH_SNAPSHOTS:
        raise TemplateError(
            f"Template error: resource type {resource['Type']} does not support deletion policy"
            " Snapshot"
        )


def _check_outputs(outputs: Mapping[str, Any]) -> None:
    for name, output in outputs.items():
        if not isinstance(output, dict) or "Value" not in output:
            raise TemplateError(
                "Template format error: Every Outputs member must contain a Value object"
            )
        if "Export" in output:
            check_export(name, output["Export"])
        if unknown := [member for member in output if member not in _OUTPUT_MEMBERS]:
            raise TemplateError(f"Invalid template output property '{unknown[0]}'")
        value = output["Value"]
        if isinstance(value, list) or (isinstance(value, dict) and function_of(value) is None):
            kind = "List" if isinstance(value, list) else "Map"
            raise TemplateError(
                "Template format error: The Value field of every Outputs member must evaluate to a"
                f" String and not a {kind}."
            )


def check_export(output: str, export: Any) -> None:
    """Check the name of an output's export, unless that is an expression.

    Raises:
        TemplateError: it is missing, or has characters that are not allowed.
    """
    name = export.get("Name") if isinstance(export, dict) else None
    if function_of(name) is None and not (isinstance(name, str) and _EXPORT.fullmatch(name)):
        raise TemplateError(
            f"Template format error: Output {output} is malformed. The Name field of every Export"
            " member must be specified and consist only of alphanumeric characters, colons, or"
            " hyphens."
        )


def _check_conditions(template: Mapping[str, Any]) -> None:
    conditions = template.get("Conditions", {})
    for condition in conditions.values():
        if not isinstance(condition, dict):
            raise TemplateError(
                "Template format error: Conditions can only be boolean operations on parameters"
                " and other conditions"
            )
    if circular := _circular({n: _conditions_of(c) for n, c in conditions.items()}):
        raise TemplateError(
            f"Template error: Found circular condition dependency between {' and '.join(circular)}"
        )
    named = {r.name for r in references(list(conditions.values()))}
    unknown = sorted(named - template.get("Parameters", {}).keys() - PSEUDO_PARAMETERS)
    if unknown:
        raise TemplateError(
            f"Template format error: Unresolved dependencies [{', '.join(unknown)}]. Cannot"
            " reference resources in the Conditions block of the template"
        )


def _conditions_of(condition: Any) -> set[str]:
    return {argument for name, argument in expressions(condition) if name == "Condition"}


def _circular(waiting: dict[str, set[str]]) -> list[str]:
    """Get the names that need each other, from what each name needs."""
    while ready := [name for name, needs in waiting.items() if not needs & waiting.keys()]:
        for name in ready:
            del waiting[name]
    return sorted(waiting)


def _check_circular(resources: Mapping[str, Any]) -> None:
    waiting = {}
    for name, resource in resources.items():
        depends = resource.get("DependsOn", [])
        named = {found.name for found in references(resource.get("Properties", {}))}
        named.update(depends if isinstance(depends, list) else [depends])
        waiting[name] = named & resources.keys()
    if circular := _circular(waiting):
        raise TemplateError(f"Circular dependency between resources: [{', '.join(circular)}]")


def _check_references(template: Mapping[str, Any]) -> None:
    """Check that every reference is to a resource or parameter of the template."""
    resources = template["Resources"]
    known = {*resources, *template.get("Parameters", {}), *PSEUDO_PARAMETERS}
    for section in ("Resources", "Outputs"):
        unknown: set[str] = set()
        for member in template.get(section, {}).values():
            depends = member.get("DependsOn", [])
            unknown.update(depends if isinstance(depends, list) else [depends])
            for found in references([member.get("Properties", {}), member.get("Value", "")]):
                if found.attribute and found.name not in resources:
                    raise TemplateError(
                        f"Template error: instance of Fn::GetAtt references undefined resource"
                        f" {found.name}"
                        if found.function == "Fn::GetAtt"
                        else "Template error: instance of Fn::Sub references invalid resource"
                        f" attribute {found.name}.{found.attribute}"
                    )
                unknown.add(found.name)
        unknown -= known
        if unknown:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies"
                f" [{', '.join(sorted(unknown))}] in the {section} block of the template"
            )
